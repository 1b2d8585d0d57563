import type { Lang } from "./i18n/index.ts";

/** Numbers, units, money and dates as the page's language writes them. */

const locale = (lang: Lang): string => (lang === "fa" ? "fa-IR-u-nu-arabext" : "en-GB");
const numbers = new Map<string, Intl.NumberFormat>();

function numberFormat(lang: Lang, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = lang + JSON.stringify(options);
  let format = numbers.get(key);
  if (!format) numbers.set(key, (format = new Intl.NumberFormat(locale(lang), options)));
  return format;
}

const units: Record<Lang, Readonly<Record<string, string>>> = {
  en: {
    "m3/day": "m³/day", m3_per_day: "m³/day", mva: "MVA", km2: "km²", "km/km2": "km/km²", percent: "%",
    index: "", count: "", class: "", "0-1": "", "1": "",
  },
  fa: {
    m3: "مترمکعب", m3_per_day: "مترمکعب در روز", MVA: "مگاولت‌آمپر", mva: "مگاولت‌آمپر",
    kVA: "کیلوولت‌آمپر", MW: "مگاوات", kW: "کیلووات", kV: "کیلوولت", GWh: "گیگاوات‌ساعت",
    km: "کیلومتر", "cost-km": "کیلومتر هم‌ارز", min: "دقیقه", m: "متر", mm: "میلی‌متر", ha: "هکتار", km2: "کیلومتر مربع", "%": "٪",
    percent: "٪", s: "ثانیه", MB: "مگابایت", l: "لیتر", t: "تن", kt: "هزار تن", Mt: "میلیون تن",
    yr: "سال", year: "سال", day: "روز", "°C": "درجهٔ سلسیوس", people: "نفر", persons: "نفر",
    person: "نفر", capita: "نفر", sites: "مکان", site: "مکان", jobs: "شغل", plants: "کارخانه",
    million: "میلیون نفر", USD: "دلار", IRR: "ریال", rial: "ریال", rials: "ریال",
    index: "", count: "", class: "", "0-1": "", "1": "",
  },
};

/** A number with at most `digits` decimals. */
export function formatNumber(lang: Lang, value: number, digits = 0): string {
  return numberFormat(lang, { maximumFractionDigits: digits }).format(value);
}

/** A number with as many decimals as its size deserves. */
export function formatMeasure(lang: Lang, value: number): string {
  const size = Math.abs(value);
  return formatNumber(lang, value, size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

/** A share 0–1 as a percentage. */
export function formatPercent(lang: Lang, share: number, digits = 0): string {
  return numberFormat(lang, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** A score or weight 0–1, always with `digits` decimals so that columns line up. */
export function formatScore(lang: Lang, value: number, digits = 2): string {
  return numberFormat(lang, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/**
 * A unit in the page's language; one that is not known stays as it came.
 *
 * Persian builds «m3/day/ha» or «MW per 1,000» from its parts, as people say it.
 */
export function formatUnit(lang: Lang, unit: string): string {
  const known = units[lang][unit];
  if (known !== undefined || lang !== "fa") return known ?? unit;
  const parts = unit.split(/\s*\/\s*|\s*\bper\s+/);
  if (parts.length < 2) return unit;
  const words = parts.map((part) => {
    const count = Number(part.replaceAll(",", ""));
    if (part !== "" && count > 0) return `${formatNumber("fa", count)} نفر`;
    return part === "" ? "" : units.fa[part];
  });
  if (words.includes(undefined)) return unit;
  const [first, ...rest] = words;
  return [first, ...rest.map((word) => (word === "روز" || word === "سال" ? word : `هر ${word}`))]
    .join(" در ").trim();
}

/** A number with its unit. */
export function formatQuantity(lang: Lang, value: number, unit: string): string {
  const name = formatUnit(lang, unit);
  const number = formatMeasure(lang, value);
  if (name === "") return number;
  return name === "%" || name === "٪" ? `${number}${name}` : `${number}\u00a0${name}`;
}

/** What people call a currency: «rials» rather than «Iranian Rial». */
function currencyName(lang: Lang, currency: string): string {
  if (currency === "IRR") return lang === "fa" ? "ریال" : "rials";
  if (lang === "en" || !/^[A-Z]{3}$/.test(currency)) return currency;
  return new Intl.DisplayNames(locale(lang), { type: "currency" }).of(currency) ?? currency;
}

/** Money, compact: ‎«3.4 trillion rials»‎, «۳٫۴ هزار میلیارد ریال». */
export function formatMoney(lang: Lang, value: number, currency: string): string {
  const size = Math.abs(value);
  const name = currencyName(lang, currency);
  // Officials count rials in thousand billions; CLDR's «تریلیون» is not what they say.
  if (lang === "fa" && size >= 1e12) {
    return `${formatMeasure(lang, value / 1e12)} هزار میلیارد ${name}`;
  }
  const number = numberFormat(lang, {
    notation: "compact",
    compactDisplay: "long",
    maximumSignificantDigits: 3,
  }).format(value);
  return `${number} ${name}`;
}

/** A date or bare year. The page in Persian writes days in the country's calendar. */
export function formatDate(lang: Lang, value: string, jalali: boolean): string {
  const year = /^(\d{4})$/.exec(value)?.[1];
  if (year !== undefined) {
    const plain = numberFormat(lang, { useGrouping: false }).format(Number(year));
    // A bare Gregorian year spans two Jalali years: say which calendar it is, don't convert.
    if (lang === "fa") return Number(year) > 1700 ? `${plain} میلادی` : plain;
    return Number(year) < 1700 ? `${plain} SH` : plain;
  }
  const time = Date.parse(value);
  if (Number.isNaN(time)) return digits(lang, value);
  const calendar = lang === "fa" && jalali ? "persian" : "gregory";
  return new Intl.DateTimeFormat(`${lang === "fa" ? "fa-IR" : "en-GB"}-u-ca-${calendar}`, {
    dateStyle: "long",
    // A bare day has no zone; an instant is shown in the reader's.
    ...(value.length === 10 ? { timeZone: "UTC" } : {}),
  }).format(time);
}

/** Latin digits in a text turned to the page's digits. */
export function digits(lang: Lang, value: string): string {
  if (lang !== "fa") return value;
  return value.replace(/\d/g, (d) => String.fromCharCode(0x06f0 + Number(d)));
}

/** A coordinate pair, latitude first as people say it. */
export function formatPlace(lang: Lang, lon: number, lat: number): string {
  const north = lang === "fa" ? (lat >= 0 ? "شمالی" : "جنوبی") : lat >= 0 ? "N" : "S";
  const east = lang === "fa" ? (lon >= 0 ? "شرقی" : "غربی") : lon >= 0 ? "E" : "W";
  const join = lang === "fa" ? "، " : ", ";
  const degree = lang === "fa" ? " درجهٔ" : "°";
  const part = (value: number, side: string) =>
    `${formatScore(lang, Math.abs(value), 3)}${degree} ${side}`;
  return part(lat, north) + join + part(lon, east);
}
