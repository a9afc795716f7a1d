//! `PUT …/artifacts/{filename}`: the files of a draft.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderMap},
    },
    put, web,
};
use base64::{
    Engine as _, alphabet,
    engine::general_purpose::{GeneralPurpose, PAD},
};
use serde::Deserialize;
use utoipa::{
    IntoParams,
    openapi::{Object, ObjectBuilder, Type},
};

use crate::{
    domain::{
        artifact::{ArtifactKind, Filename, Sha256},
        platform::{Arch, Component, Platform},
        slug::Slug,
        version::Version,
    },
    http::{
        App, Problem,
        extract::{Caller, IfMatch, Query, Segments, body::patient, caller::WriteReleases},
        json,
        release::ArtifactBody,
    },
    services::{
        Code,
        releasing::store_artifact::{self, Stored, Upload},
    },
};

/// Where a file of a release is.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ArtifactPath {
    /// The product's slug.
    #[param(example = "office-maker")]
    slug: Slug,
    /// The release's version.
    #[param(example = "13.1.0")]
    version: Version,
    /// The name the file is offered under.
    #[param(example = "OfficeMaker-13.1.0-linux.tar.gz")]
    filename: Filename,
}

/// The properties of the file.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArtifactQuery {
    /// The program it updates.
    #[param(inline, example = "standalone")]
    component: Component,
    /// The operating system it is for.
    #[param(inline, example = "linux")]
    platform: Platform,
    /// The architecture it is for.
    #[param(inline, example = "aarch64")]
    arch: Arch,
    /// Its form; `installer` unless given.
    #[serde(default = "installer")]
    #[param(inline, default = "installer", example = "archive")]
    kind: ArtifactKind,
}

/// The digest that the sender announced.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described by this; read by `content_digest` and `signature`")]
struct ArtifactHeaders {
    #[param(rename = "Content-Digest", schema_with = digest_schema)]
    content_digest: Option<String>,
    /// A signature made with the vendor's own key, passed to clients unchanged.
    #[param(rename = "X-Signature", pattern = "^[!-~]([ -~]*[!-~])?$", max_length = 4096)]
    signature: Option<String>,
}

fn digest_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("`sha-256=:<base64>:` of the file (RFC 9530); other algorithms are ignored."))
        .pattern(Some(r"^[a-z*][a-z0-9_.*-]*=:([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?:$"))
        // The digest of the bytes in the example of the body.
        .examples(["sha-256=:k8yjpwnOqqLeZFsUSuLEireH9Lofe3uk4Sfgh+366Pw=:"])
        .build()
}

const fn installer() -> ArtifactKind {
    ArtifactKind::Installer
}

/// Upload a file of a draft.
///
/// The body is the file itself, of any size. The same bytes again are answered with 200, other bytes under the same
/// name replace the file. `Content-Digest` (RFC 9530) makes sure that what arrives is what was sent.
#[utoipa::path(
    tag = "Publisher",
    params(
        ArtifactPath, ArtifactQuery, ArtifactHeaders, IfMatch
    ),
    security(("bearer" = [])),
    request_body(content_type = "application/octet-stream", content = Vec<u8>, example = "the bytes of the file"),
    responses(
        (status = 201, description = "The file is stored.", body = ArtifactBody),
        (status = 200, description = "The same file was already stored.", body = ArtifactBody),
    )
)]
#[put("/api/v1/products/{slug}/releases/{version}/artifacts/{filename}")]
pub async fn put_artifact(
    app: App,
    _caller: Caller<WriteReleases>,
    request: HttpRequest,
    path: Segments<ArtifactPath>,
    query: Query<ArtifactQuery>,
    expected: IfMatch,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (path, query) = (path.0, query.0);
    let upload = Upload {
        product: path.slug,
        version: path.version,
        filename: path.filename,
        component: query.component,
        platform: query.platform,
        arch: query.arch,
        kind: query.kind,
        announced: content_digest(request.headers())?,
        length: length(&request),
        signature: signature(&request)?,
        expected: expected.0,
    };
    Ok(match store_artifact::store(&app.context, upload, patient(&request, body)).await? {
        Stored::New(artifact) => json::answer(StatusCode::CREATED, &ArtifactBody::of(&artifact)),
        Stored::Same(artifact) => json::answer(StatusCode::OK, &ArtifactBody::of(&artifact)),
    })
}

/// Base64 as RFC 8941 (section 4.2.7) reads it: unused bits need not be zero.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PAD.with_decode_allow_trailing_bits(true));

/// Whether the text is a key of a structured field (RFC 8941, section 3.1.2).
fn is_key(text: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte == b'*';
    text.bytes().next().is_some_and(first)
        && text.bytes().all(|byte| first(byte) || byte.is_ascii_digit() || b"_-.".contains(&byte))
}

/// The SHA-256 of a `Content-Digest` header (RFC 9530, section 2); other algorithms are ignored.
///
/// # Errors
/// `header_invalid`.
pub fn content_digest(headers: &HeaderMap) -> Result<Option<Sha256>, Problem> {
    let unreadable =
        || Problem::new(Code::HeaderInvalid, "`Content-Digest` must be `sha-256=:<base64 of the 32 bytes>:`");
    let mut found = None;
    for value in headers.get_all("content-digest") {
        for member in value.to_str().map_err(|_| unreadable())?.split(',') {
            let (name, digest) = member.trim().split_once('=').ok_or_else(unreadable)?;
            let text = digest.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or_else(unreadable)?;
            let bytes = BASE64.decode(text).map_err(|_| unreadable())?;
            if !is_key(name) {
                return Err(unreadable());
            }
            if name == "sha-256" {
                found = Some(Sha256(bytes.try_into().map_err(|_| unreadable())?));
            }
        }
    }
    Ok(found)
}

/// The size that the sender announced.
fn length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn signature(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get("x-signature") else { return Ok(None) };
    match value.to_str() {
        Ok(text) if (1..=4096).contains(&text.len()) && !text.contains('\t') => Ok(Some(text.to_owned())),
        _ => Err(Problem::new(Code::HeaderInvalid, "`X-Signature` must be 1 to 4096 visible ASCII characters")),
    }
}
