# What the recipes in this folder share. A recipe sets NAME, sources this file, defines `install`, `launch_server` and
# `connection`, and ends with: main "$@"
#
#   install        puts what the server needs under $SERVICES_HOME; skips what is there
#   launch_server  starts it by `launch` and waits for it by `wait_ready`
#   connection     prints how to reach it
#
# Verbs: start (keeps earlier data), stop, status (3: stopped), wipe (stop and drop the data).
# Everything is under the folder that TAILRACE_SERVICES_HOME names. TAILRACE_SERVICES_RUN names a folder for data, log and
# process id, so that several can run beside each other from one installation.
set -euo pipefail

SERVICES_HOME=${TAILRACE_SERVICES_HOME:-$HOME/.cache/tailrace-services}
RUN=${TAILRACE_SERVICES_RUN:-$SERVICES_HOME/run}/$NAME
PIDFILE=$RUN/pid
LOG=$RUN/log

die() {
  echo "$NAME: $*" >&2
  exit 1
}

# Is our process alive? The mark in its environment guards against a process id that was given to another.
alive() {
  [[ -s $PIDFILE ]] && grep -qzxF "TAILRACE_SERVICE=$RUN" "/proc/$(<"$PIDFILE")/environ" 2>/dev/null
}

# launch COMMAND...: run in the background, detached, logging to $LOG.
launch() {
  TAILRACE_SERVICE=$RUN setsid "$@" >>"$LOG" 2>&1 </dev/null 8>&- 9>&- &
  echo $! >"$PIDFILE"
  # until it is the program itself, its environment is not there to be known by
  for _ in $(seq 50); do
    ! alive || break
    launched || break
    sleep 0.1
  done
}

# Is what we launched just now still there? Its mark can't be read while a launcher becomes the program.
launched() { kill -0 "$(<"$PIDFILE")" 2>/dev/null; }

# wait_ready SECONDS COMMAND...: until the command succeeds; the process must live and the time must not be up.
wait_ready() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    launched || { tail -n 20 "$LOG" >&2; die "ended while it started, see $LOG"; }
    ((SECONDS < end)) || { stop; tail -n 20 "$LOG" >&2; die "did not answer in time, see $LOG"; }
    sleep 0.2
  done
}

stop() {
  local pid
  if alive; then
    pid=$(<"$PIDFILE")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
      alive || break
      sleep 0.2
    done
    ! alive || kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$PIDFILE"
}

# A port that somebody else holds must fail early, and not look like our server answering.
ports_free() {
  python3 - "$@" <<'PYTHON' || die "a port of these is in use: $*"
import socket, sys
for port in sys.argv[1:]:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", int(port)))
PYTHON
}

# locked FILE: hold the lock until the script ends, so that two do not install or start at once.
locked() {
  exec 9>"$1"
  flock 9
}

# deb PACKAGE: unpack a Debian package, without what it depends on, into $SERVICES_HOME/deb/PACKAGE.
deb() {
  local dir=$SERVICES_HOME/deb/$1 tmp
  [[ -d $dir ]] && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "needs apt-get and dpkg-deb (Debian, Ubuntu)"
  tmp=$(mktemp -d --tmpdir="$SERVICES_HOME")
  (
    cd "$tmp"
    get=(apt-get -q -o APT::Sandbox::User=root download "$1")
    "${get[@]}" || { apt-get -q update && "${get[@]}"; }
    dpkg-deb -x ./*.deb tree
  ) >&2 || { rm -rf "$tmp"; die "package $1 can't be had"; }
  mkdir -p "$SERVICES_HOME/deb"
  mv "$tmp/tree" "$dir" && rm -rf "$tmp"
}

# go_build MODULE VERSION PACKAGE BINARY: build a command of a Go module into $SERVICES_HOME/go/BINARY-VERSION. The module is copied and
# built as the main one, since `go install` refuses modules with replace lines.
go_build() {
  local out=$SERVICES_HOME/go/$4-$2 tmp src
  [[ ! -x $out ]] || return 0
  command -v go >/dev/null || die "needs Go"
  mkdir -p "$SERVICES_HOME/go"
  exec 8>"$SERVICES_HOME/go/$4.lock" # another than that of `locked`, which holds
  flock 8
  [[ ! -x $out ]] || return 0
  tmp=$(mktemp -d --tmpdir="$SERVICES_HOME/go")
  (
    cd "$tmp"
    src=$(go mod download -json "$1@$2" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
    cp -r "$src" src && chmod -R u+w src && cd src
    CGO_ENABLED=0 GOFLAGS="-buildvcs=false -p=2" go build -trimpath -ldflags "-s -w" -o "$tmp/out" "$3"
  ) >&2 || { rm -rf "$tmp"; die "$4 can't be built"; }
  mv "$tmp/out" "$out" && rm -rf "$tmp"
}

# mvn_jars DIR COORDINATE...: artifacts (group:artifact:version[:type]) of Maven Central, and all they need at run time, into $SERVICES_HOME/DIR.
# EXCLUDE=group:artifact leaves out one that they need.
mvn_jars() {
  local dir=$SERVICES_HOME/$1 coordinate g a v t without=""
  shift
  [[ ! -f $dir/.done ]] || return 0
  command -v mvn >/dev/null && command -v java >/dev/null || die "needs Maven and Java 17"
  mkdir -p "$dir"
  if [[ -n ${EXCLUDE:-} ]]; then
    without="<exclusions><exclusion><groupId>${EXCLUDE%:*}</groupId><artifactId>${EXCLUDE#*:}</artifactId></exclusion></exclusions>"
  fi
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>services</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging><dependencies>'
    for coordinate; do
      IFS=: read -r g a v t <<<"$coordinate"
      echo "<dependency><groupId>$g</groupId><artifactId>$a</artifactId><version>$v</version><type>${t:-jar}</type>$without</dependency>"
    done
    echo '</dependencies></project>'
  } >"$dir/pom.xml"
  mvn -q -B -f "$dir/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$dir/libs" >&2 </dev/null
  touch "$dir/.done"
}

# http_ok URL: answers with a status below 400.
http_ok() { python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=2)' "$1"; }

start() {
  locked "$RUN/lock"
  alive && return
  rm -f "$PIDFILE"
  install
  launch_server
}

main() {
  case ${1:-} in
    start) mkdir -p "$RUN" && start && connection ;;
    stop) stop ;;
    status) if alive; then echo "running pid $(<"$PIDFILE")" && connection; else echo stopped && return 3; fi ;;
    wipe) stop && rm -rf "$RUN" ;;
    *) echo "usage: ${0##*/} start|stop|status|wipe" >&2 && exit 2 ;;
  esac
}
