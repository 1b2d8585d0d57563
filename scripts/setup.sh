#!/usr/bin/env bash
# Prepare everything that a make target needs, once: system packages, Python environment, web page.
# Usage: scripts/setup.sh run|dev       run = what the demo needs, dev = what the tests need too
set -euo pipefail
cd "$(dirname "$0")/.."
kind="${1:-run}"
say() { printf '\033[1m%s\033[0m\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 2; }

have_postgis() {
  for share in /usr/share/postgresql/*/extension "$(pg_config --sharedir 2>/dev/null || true)/extension"; do
    [ -e "$share/postgis.control" ] && return 0
  done
  return 1
}
node_major() { node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/'; }

# The interpreter: 3.11 or newer.
python=""
for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
  if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    python="$name"; break
  fi
done

missing=()
[ -n "$python" ] || missing+=(python3)
if [ -n "$python" ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then missing+=(python3-venv); fi
if [ -z "${GEOPLAN_DATABASE_URL:-}" ] && ! have_postgis; then missing+=(postgresql postgis-for-it); fi
if [ ! -e web/dist/index.html ] || [ ! -e geoplan/report/assets/leaflet.js ] || [ "$kind" = dev ]; then
  [ "$(node_major)" ] && [ "$(node_major)" -ge 18 ] || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
fi
if [ "$kind" = dev ]; then command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium); fi

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    fail "GeoPlan needs: ${missing[*]}.
  → Install Python 3.11+, PostgreSQL 15+ with PostGIS 3.3+, Node.js 18+ with npm (and Chromium for the tests)
    with this system's package manager, or set GEOPLAN_DATABASE_URL to a PostGIS server (compose.yaml starts one)."
  fi
  sudo=""
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo"; else
      fail "These packages are missing and this user may not install them: ${missing[*]}.
  → Ask an administrator for: apt-get install python3-venv postgresql postgresql-\$VERSION-postgis-3 nodejs npm chromium"
    fi
  fi
  say "Installing system packages: ${missing[*]} (once)"
  log="$(mktemp)"
  trap 'rm -f "$log"' EXIT
  run_apt() { $sudo env DEBIAN_FRONTEND=noninteractive "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "apt-get could not install ${missing[*]}."; }; }
  run_apt apt-get update
  packages=()
  for item in "${missing[@]}"; do
    case "$item" in
      postgresql) ;;
      postgis-for-it)
        version="$(apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' | sed -E 's/^postgresql-([0-9]+)-.*/\1/' | sort -n | tail -n 1)"
        [ -n "$version" ] || fail "No postgresql-*-postgis-3 package is known to apt. → Add Debian's or Ubuntu's main repository."
        packages+=("postgresql-$version" "postgresql-$version-postgis-3") ;;
      *) packages+=("$item") ;;
    esac
  done
  run_apt apt-get install -y --no-install-recommends "${packages[@]}"
  [ -n "$python" ] || python=python3
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "Python 3.11 or newer is needed; $("$python" --version) was found. → Install it and set PYTHON=/path/to/python3."

# The page, first: the package holds it.
if [ -d web/src ]; then
  want="$(find web/src web/package-lock.json web/*.mjs web/*.html web/tsconfig.json -type f 2>/dev/null | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1)"
  if [ ! -e web/dist/index.html ] || [ "$(cat web/dist/.stamp 2>/dev/null)" != "$want" ]; then
    say "Building the page (web/dist)"
    (cd web && npm ci --no-audit --no-fund --loglevel=error >/dev/null && npm run --silent build)
    printf '%s' "$want" >web/dist/.stamp
  fi
fi

# The Python environment, made again only when a lock file changes.
lock=requirements.lock; [ "$kind" = dev ] && lock=requirements-dev.lock
stamp=".venv/.geoplan-$kind"
want="$(sha256sum "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)"
if [ ! -x .venv/bin/python ]; then
  say "Making the Python environment (.venv)"
  "$python" -m venv .venv
fi
if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
  say "Installing Python packages ($lock)"
  # --prefer-binary and hashes: the same bytes everywhere, no compiler needed.
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --prefer-binary -r "$lock"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  printf '%s' "$want" >"$stamp"
fi

# What maps and reports embed, so that they need no network: checked by digest.
.venv/bin/python -m geoplan.report >/dev/null
