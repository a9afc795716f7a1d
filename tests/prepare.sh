# Sourced by tests/run, .ci/run and benches/run: sees to what they need of the machine, on a bare Debian with only Rust.
# What is there already is used as it is; what cannot be installed is named, with what to do.

# The versions that are installed where there is none; any other will mostly do.
readonly NEXTEST_VERSION=0.9.143
readonly DENY_VERSION=0.20.2

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
    command -v "$command" >/dev/null && return
    command -v apt-get >/dev/null || fail "\`$command\` is missing, and this is no Debian; install it (on Debian: $*)"
    say "Installing $* (for \`$command\`)"
    if [ -z "${apt_is_fresh:-}" ]; then
        as_root apt-get update -qq \
            || fail "\`$command\` is missing and cannot be installed from here; as root: apt-get install $*"
        apt_is_fresh=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null \
        || fail "installing $* failed; as root: apt-get install $*"
    command -v "$command" >/dev/null || fail "$* is installed, but there is still no \`$command\`"
}

# need_cargo_command NAME VERSION: installs cargo-NAME from crates.io unless it is there. Built from source: minutes.
need_cargo_command() {
    cargo "$1" --version >/dev/null 2>&1 && return
    say "Installing cargo-$1 $2 (once; this takes some minutes)"
    cargo install "cargo-$1" --version "$2" --locked --quiet </dev/null \
        || fail "cargo-$1 is missing and could not be installed; try: cargo install cargo-$1 --locked"
}

# Rust, in the version that rust-toolchain.toml names, and a C compiler for SQLite and aws-lc.
need_rust() {
    command -v cargo >/dev/null || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    command -v cargo >/dev/null || fail "Rust is missing; install it from https://rustup.rs"
    cargo --version >/dev/null || fail "cargo does not run; \`rustup show\` says which toolchain it wants"
    need_debian cc build-essential
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
}

# need_python COMMAND PACKAGE VERSION: a program from PyPI, in a place of its own under target/, and in the PATH from here on.
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

# need_unpacked PACKAGE FILE: what is in a Debian package, under target/packages/PACKAGE. For a server that is wanted only to
# check its configuration: once installed, it would start with the machine.
need_unpacked() {
    local package=$1 file=$2
    [ ! -e "target/packages/$package/$file" ] || return 0
    say "Fetching $package"
    if [ -z "${apt_is_fresh:-}" ]; then
        as_root apt-get update -qq || fail "the list of Debian's packages cannot be fetched from here; as root: apt-get update"
        apt_is_fresh=yes
    fi
    mkdir -p target/packages
    (cd target/packages && rm -f "$package"_*.deb && apt-get -qq -o APT::Sandbox::User= download "$package" && dpkg-deb -x "$package"_*.deb "$package") \
        || fail "$package could not be fetched; is this Debian?"
    [ -e "target/packages/$package/$file" ] || fail "there is no $file in $package"
}
