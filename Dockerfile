# Sluice as a container image. `docker build --tag sluice .`; how to run it: docs/deploying.md, and deploy/compose.yaml.
# deploy/prove runs these very lines without a container engine, so keep to the instructions that it knows.

# The program, in the Rust of rust-toolchain.toml and on the Debian of the final image, whose C library it is linked to.
FROM rust:1.95.0-slim-bookworm AS dependencies
WORKDIR /build
# aws-lc, SQLite, libpq and, for libpq's TLS, OpenSSL are compiled from C and C++; OpenSSL's build needs make and Perl.
# No versions are named: Debian stable changes them for security only, and drops the old ones.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make perl \
    && rm -rf /var/lib/apt/lists/*
# The dependencies have a layer of their own, made from these two files and an empty program: as long as they do not
# change, a build compiles only Sluice itself. What the empty program left is removed, else cargo, which goes by dates,
# might take it for newer than the real one.
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
# server.public_url has no default that could be right here; without it the server says so, and ends.
ENV SLUICE__DATA__FOLDER=/var/lib/sluice \
    SLUICE__SERVER__BIND=0.0.0.0:8080
# A sluice.toml that is mounted here is read without being named.
WORKDIR /etc/sluice
USER 10001:10001
VOLUME /var/lib/sluice
EXPOSE 8080
STOPSIGNAL SIGTERM
# Whether it lives, not whether all is well around it: to start it again helps nobody while the database is away. A
# million subscriptions are read within the start period.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["sluice", "health"]
ENTRYPOINT ["sluice"]
CMD ["serve"]
