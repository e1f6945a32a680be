#!/usr/bin/env bash
# Brings a machine from bare to ready. Safe to run again: what is there is left alone, in well under a second.
#
#   scripts/setup.sh run     what serving needs: PostgreSQL with PostGIS, the environment, the map engine
#   scripts/setup.sh test    also a browser and Chinese fonts
#   scripts/setup.sh bench   also the peers the benchmarks are measured against, where they can be had
#
# It starts nothing. Without root it prints the one line to run and stops.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}

say() { printf '\033[36m==\033[0m %s\n' "$*"; }
stop() { printf '\033[31m!!\033[0m %s\n' "$@" >&2; exit 1; }

# ---- what the system must provide ------------------------------------------------------------------

python_of() { # the first interpreter of 3.11 or newer that can make environments
  for name in python3 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"; return
    fi
  done
  return 1
}

has_postgis() {
  local place
  for place in /usr/share/postgresql/*/extension /usr/pgsql-*/share/extension /usr/share/pgsql/extension \
    /opt/homebrew/share/postgresql*/extension /opt/homebrew/opt/postgresql@*/share/postgresql*/extension \
    /usr/local/share/postgresql*/extension /usr/local/opt/postgresql@*/share/postgresql*/extension \
    /Applications/Postgres.app/Contents/Versions/*/share/postgresql/extension; do
    [ -e "$place/postgis.control" ] && return 0
  done
  return 1
}

has_server() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ||
    compgen -G '/opt/homebrew/opt/postgresql@*/bin/initdb' >/dev/null ||
    compgen -G '/usr/local/opt/postgresql@*/bin/initdb' >/dev/null ||
    compgen -G '/usr/pgsql-*/bin/initdb' >/dev/null ||
    compgen -G '/Applications/Postgres.app/Contents/Versions/*/bin/initdb' >/dev/null
}

has_browser() {
  command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
    [ -d "/Applications/Google Chrome.app" ] || [ -d "/Applications/Chromium.app" ] ||
    compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium-*" >/dev/null
}

has_chinese_font() {
  [ "$(uname)" = Darwin ] || { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh family 2>/dev/null)" ]; }
}

is_ubuntu() { grep -qi '^ID=ubuntu' /etc/os-release 2>/dev/null; }

missing=()
need() { missing+=("$@"); }
python_of >/dev/null || need python3 python3-venv
{ has_server && has_postgis; } || need postgresql postgresql-postgis
[ -e /etc/ssl/certs/ca-certificates.crt ] || [ "$(uname)" = Darwin ] || need ca-certificates
if [ "$purpose" != run ]; then
  # Ubuntu ships Chromium as a snap, which a headless machine cannot start: Playwright's own is taken below.
  has_browser || is_ubuntu || need chromium
  has_chinese_font || need fontconfig fonts-noto-cjk
fi

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(uname)" = Darwin ]; then
    command -v brew >/dev/null || stop "Install Homebrew, then run this again." "请先安装 Homebrew，然后重新运行。"
    say "brew install python@3.12 postgis"
    brew install python@3.12 postgis
  elif command -v apt-get >/dev/null; then
    line="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    if [ "$(id -u)" = 0 ]; then as_root=(env); elif sudo -n true 2>/dev/null; then as_root=(sudo env); else
      stop "System packages are missing. Run this line, then the same command again:" \
        "缺少系统软件包，请运行下面一行，然后重复刚才的命令：" "  sudo sh -c '$line'"
    fi
    say "apt-get install ${missing[*]}"
    "${as_root[@]}" DEBIAN_FRONTEND=noninteractive sh -c "$line" >/tmp/citygrid-apt.$$ 2>&1 ||
      { tail -20 /tmp/citygrid-apt.$$; stop "apt-get failed; see above."; }
    rm -f /tmp/citygrid-apt.$$
  else
    stop "Install these with your package manager, then run this again: ${missing[*]}" \
      "请用系统的包管理器安装：${missing[*]}，然后重新运行。"
  fi
fi

# ---- the environment -------------------------------------------------------------------------------

stamp_of() { cat "$@" | cksum | tr -d ' '; }

wanted=$(stamp_of requirements.lock setup.cfg pyproject.toml)
if [ "$(cat .venv/.citygrid 2>/dev/null)" != "$wanted" ]; then
  say "Python environment in .venv (the first time some minutes · 首次需要几分钟)"
  [ -x .venv/bin/python ] || "$(python_of)" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  printf '%s' "$wanted" >.venv/.citygrid
fi

wanted=$(stamp_of package-lock.json)
if [ "$(cat node_modules/.citygrid 2>/dev/null)" != "$wanted" ]; then
  say "Map engine in node_modules · 地图引擎"
  if ! { command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'; }; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.lock
    export PATH="$PWD/.venv/bin:$PATH"
  fi
  npm ci --silent --no-audit --no-fund
  printf '%s' "$wanted" >node_modules/.citygrid
fi

if [ "$purpose" != run ] && ! has_browser; then
  say "A browser for the tests"
  if [ "$(id -u)" = 0 ]; then .venv/bin/playwright install --with-deps chromium; else .venv/bin/playwright install chromium; fi
fi

if [ "$purpose" = bench ] && [ ! -e .venv/.citygrid-bench ]; then
  say "Peers for the benchmarks"
  for peer in duckdb polars-st sedonadb; do
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$peer" || say "$peer cannot be had here; its column stays empty"
  done
  touch .venv/.citygrid-bench
fi
