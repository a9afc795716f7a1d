# Sluice as a container image. `docker build --tag sluice .`; how to run it: docs/deploying.md, and deploy/compose.yaml.
# deploy/prove runs these lines without a container engine, so use only instructions that it knows.

# Builds the program, with the Rust of rust-toolchain.toml, on the Debian of the final image, because it links that libc.
FROM rust:1.95.0-slim-bookworm AS dependencies
WORKDIR /build
# aws-lc, SQLite, libpq and, for libpq's TLS, OpenSSL are compiled from C and C++; OpenSSL's build needs make and Perl.
# No versions: Debian stable changes packages for security only, and drops the old ones.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make perl \
    && rm -rf /var/lib/apt/lists/*
# The dependencies have their own layer, built from these two files and an empty program: as long as they do not change,
# a build compiles only Sluice itself. The empty program's output is removed, because cargo compares dates and could take
# it for newer than the real one.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' >src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked --bin sluice \
    && cargo clean --release --locked --package sluice \
    && rm -r src

FROM dependencies AS build
COPY locales locales
COPY migrations migrations
COPY src src
RUN cargo build --release --locked --bin sluice

# Why this one and not a distroless one: docs/decisions/0015-packages.md.
FROM debian:bookworm-slim
# The certificates are for TLS to an object store. The user has a fixed number, so that a volume
# keeps its owner, and the numeric USER below lets Kubernetes see that it is not root.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 sluice \
    && useradd --uid 10001 --gid sluice --home-dir /var/lib/sluice --no-create-home --shell /usr/sbin/nologin sluice \
    && install --directory --owner=sluice --group=sluice --mode=0700 /var/lib/sluice
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/sluice/
COPY --from=build /build/target/release/sluice /usr/local/bin/sluice
LABEL org.opencontainers.image.title="Sluice" \
    org.opencontainers.image.description="An update distribution server" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
# server.public_url has no useful default here; without it the server says so and exits.
ENV SLUICE__DATA__FOLDER=/var/lib/sluice \
    SLUICE__SERVER__BIND=0.0.0.0:8080
# A sluice.toml that is mounted here is read by default.
WORKDIR /etc/sluice
USER 10001:10001
VOLUME /var/lib/sluice
EXPOSE 8080
STOPSIGNAL SIGTERM
# Asks whether the process is alive, not whether it is ready: a restart does not help while the database is away. The
# start period is long enough to read a million subscriptions.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["sluice", "health"]
ENTRYPOINT ["sluice"]
CMD ["serve"]
