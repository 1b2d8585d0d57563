// Text goes in by textContent only: names from data are never read as markup.
const make = (tag, text, name) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
};
const HATCH = 'url(#hatch)';
const start = DATA.words.right ? 'right' : 'left', end = DATA.words.right ? 'left' : 'right';
L.control.zoom({position: 'top' + start}).addTo(MAP);
const Scale = L.Control.Scale.extend({
  _updateMetric(metres) {
    const round = this._getRoundNum(metres);
    const text = round < 1000 ? round + ' ' + DATA.words.m : round / 1000 + ' ' + DATA.words.km;
    const shown = DATA.words.digits
      ? text.replace(/[0-9]/g, (d) => DATA.words.digits[Number(d)]) : text;
    this._updateScale(this._mScale, shown, round / metres);
  },
});
new Scale({imperial: false, position: 'bottom' + end}).addTo(MAP);
const popup = (code) => {
  const box = make('div');
  box.dir = document.documentElement.dir;
  box.append(make('h2', DATA.names[code]), make('p', DATA.words.code + ': ' + code, 'code'));
  const table = make('table');
  for (const layer of DATA.layers) {
    const known = code in layer.place, row = make('tr', undefined, known ? '' : 'none');
    row.append(make('td', layer.title), make('td', known ? layer.said[code] : layer.none));
    table.append(row);
  }
  box.append(table);
  return box;
};
const legend = L.control({position: 'bottom' + start});
let current = DATA.layers[0];
legend.onAdd = () => { legend.box = make('div', undefined, 'plate'); fill(); return legend.box; };
const fill = () => {
  const box = legend.box;
  box.replaceChildren(make('h2', current.title), make('p', current.how));
  box.dir = document.documentElement.dir;
  const table = make('table');
  for (const [colour, label, regions] of current.legend) {
    const row = make('tr'), key = make('td'), mark = make('span', undefined, 'box');
    mark.style.background = colour ||
      'repeating-linear-gradient(-45deg, #8c8c8c 0 2px, #fff 2px 6px)';
    key.append(mark);
    row.append(key, make('td', label), make('td', regions));
    table.append(row);
  }
  box.append(table);
  if (current.note) box.append(make('p', current.note));
};
const layers = {};
const renderer = L.svg({padding: 0.4});
for (const layer of DATA.layers) {
  const drawn = L.geoJSON(DATA.shapes, {
    renderer, smoothFactor: 0.5,
    style: (feature) => {
      const place = layer.place[feature.properties.code];
      return {color: '#7b857d', weight: 0.6, fillOpacity: 1,
        fillColor: place === undefined ? HATCH : layer.colours[place]};
    },
    onEachFeature: (feature, shape) => {
      const code = feature.properties.code;
      shape.bindPopup(() => popup(code), {maxWidth: 420, maxHeight: 320});
      shape.bindTooltip(() => make('span', DATA.names[code]), {sticky: true});
    },
  });
  drawn.geoplan = layer;
  const label = make('span', layer.title);
  layers[label.innerHTML] = drawn;
  if (layer === current) drawn.addTo(MAP);
}
MAP.createPane('borders').style.zIndex = 450;
MAP.getPane('borders').style.pointerEvents = 'none';
L.geoJSON(DATA.borders, {pane: 'borders', interactive: false,
  style: {color: '#2b352e', weight: 1.3, fill: false}}).addTo(MAP);
const control = L.control.layers(layers, null, {collapsed: false, position: 'top' + end});
control.addTo(MAP);
control.getContainer().dir = document.documentElement.dir;
legend.addTo(MAP);
MAP.on('baselayerchange', (event) => { current = event.layer.geoplan; fill(); });
