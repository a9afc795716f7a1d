//! `GET|HEAD /api/v1/downloads/…`: files by signed link, whole or in part (RFC 9110, sections 13 and 14).

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    body::SizedStream,
    get, head,
    http::{StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    domain::{
        artifact::{Artifact, Filename},
        id::{ArtifactId, LicenseKeyId},
    },
    http::{
        App, Problem,
        extract::{ClientAddress, Query, Segments},
        json,
    },
    limits::{Downloader, Turn},
    services::{Code, Refusal, field::download},
};

/// Where a file is.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DownloadPath {
    /// The artifact's id.
    #[param(example = "0199a0de-0000-7000-8000-00000000af24")]
    pub artifact_id: ArtifactId,
    /// Its name.
    #[param(example = "OfficeMaker-13.0.0-setup.exe")]
    pub filename: Filename,
}

/// The permission to download it.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DownloadQuery {
    /// From the `url` of a check's answer.
    #[param(example = "from the url")]
    pub token: String,
}

/// Download a file.
///
/// Follow the `url` of a check's answer. `Range` and `If-Range` resume a download, also with the link of a later check:
/// the `ETag` is the content's SHA-256. Where the files lie in an S3 store, the answer may be a redirect to it.
#[utoipa::path(
    tag = "Client",
    params(DownloadPath, DownloadQuery, ("Range" = Option<String>, Header, description = "The missing part: `bytes=1000-`.")),
    responses(
        (status = 200, description = "The file.", content_type = "*/*", body = Vec<u8>),
        (status = 206, description = "A part of the file.", content_type = "*/*", body = Vec<u8>),
        (status = 304, description = "The file has not changed."),
        (status = 307, description = "The file is in an S3 store: follow `Location` with the same `Range`, but without the `Authorization` header."),
        (status = 416, description = "The range is outside the file.", content_type = "application/problem+json", body = crate::http::error::ProblemBody),
    )
)]
#[get("/api/v1/downloads/{artifact_id}/{filename}")]
pub async fn download_artifact(
    app: App,
    request: HttpRequest,
    path: Segments<DownloadPath>,
    query: Query<DownloadQuery>,
) -> Result<HttpResponse, Problem> {
    answer(&app, &request, &path.0, &query.0, true).await
}

/// Get the headers of a file without downloading it.
#[utoipa::path(
    tag = "Client",
    params(DownloadPath, DownloadQuery),
    responses(
        (status = 200, description = "The headers of a download, without the file."),
        (status = 304, description = "The file has not changed."),
    )
)]
#[head("/api/v1/downloads/{artifact_id}/{filename}")]
pub async fn probe_artifact(
    app: App,
    request: HttpRequest,
    path: Segments<DownloadPath>,
    query: Query<DownloadQuery>,
) -> Result<HttpResponse, Problem> {
    answer(&app, &request, &path.0, &query.0, false).await
}

async fn answer(
    app: &App,
    request: &HttpRequest,
    path: &DownloadPath,
    query: &DownloadQuery,
    with_body: bool,
) -> Result<HttpResponse, Problem> {
    let download::Found { artifact, license_key } =
        download::find(&app.context, path.artifact_id, &path.filename, &query.token)?;
    let etag = format!("\"{}\"", artifact.sha256);
    let listed = |name: header::HeaderName| {
        request
            .headers()
            .get_all(name)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','))
            .map(str::trim)
    };
    let weakly = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
    if request.headers().contains_key(header::IF_MATCH)
        && !listed(header::IF_MATCH).any(|tag| tag == "*" || tag == etag)
    {
        return Err(Problem::new(Code::PreconditionFailed, format!("the content has changed; its ETag is now {etag}")));
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::ETAG, etag.clone()))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, "private, no-transform"));
    if listed(header::IF_NONE_MATCH).any(weakly) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let media_type = content_type(&artifact.filename);
    // `Filename` allows no character that would need an escape here (RFC 6266).
    let disposition = format!("attachment; filename=\"{}\"", artifact.filename);
    response
        .content_type(media_type)
        .insert_header((header::CONTENT_DISPOSITION, disposition.clone()))
        .insert_header(("Repr-Digest", format!("sha-256=:{}:", STANDARD.encode(artifact.sha256.0))));
    // Range is for GET only (RFC 9110, section 14.2).
    let wanted = if with_body { part(request, &artifact, &etag) } else { Part::Whole };
    let (start, length) = match wanted {
        Part::Whole => (0, artifact.size),
        Part::Range(first, last) => {
            response
                .status(StatusCode::PARTIAL_CONTENT)
                .insert_header((header::CONTENT_RANGE, format!("bytes {first}-{last}/{}", artifact.size)));
            (first, last - first + 1)
        }
        Part::Nothing => return Ok(unsatisfiable(&artifact)),
    };
    if !with_body {
        return Ok(response.body(SizedStream::new(length, stream::empty::<Result<_, std::io::Error>>())));
    }
    // A client that resumes with our ETag is served here: the store has ETags of its own and would send the whole file.
    let is_ours = request.headers().get(header::IF_RANGE).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    if !is_ours && let Some(address) = download::elsewhere(&app.context, &artifact, &disposition, media_type).await? {
        app.metrics.downloads.inc();
        return Ok(HttpResponse::TemporaryRedirect()
            .insert_header((header::LOCATION, address))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish());
    }
    let turn = begin(app, request, license_key)?;
    let pieces = download::open(&app.context, &artifact, start..start + length).await?;
    app.metrics.downloads.inc();
    // The turn ends when the body is dropped: at its end, or when the client disconnects.
    let pieces = pieces.inspect(move |_| {
        let _held = &turn;
    });
    Ok(response.body(SizedStream::new(length, pieces)))
}

/// How long to wait before trying another download.
const NEXT_TURN: Duration = Duration::from_secs(10);

/// Takes one of the downloads that a client may run at the same time.
fn begin(app: &App, request: &HttpRequest, license_key: Option<LicenseKeyId>) -> Result<Turn, Problem> {
    let downloader = match license_key {
        Some(key) => Downloader::Key(key),
        None => Downloader::Anonymous(ClientAddress::of(request).network()),
    };
    let turn = app.limits.downloads.begin(downloader);
    turn.ok_or_else(|| Problem(Refusal::too_many("downloads at once", NEXT_TURN)))
}

/// The part of a file that is requested.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole file.
    Whole,
    /// From the first of these bytes to the last.
    Range(u64, u64),
    /// Nothing: the range is outside the file.
    Nothing,
}

/// A request for several ranges gets the whole file, as RFC 9110 (section 14.2) allows: no updater needs them.
fn part(request: &HttpRequest, artifact: &Artifact, etag: &str) -> Part {
    let Some(range) = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return Part::Whole;
    };
    // A date, or the tag of another content: a part of this content would not fit the part that the client has.
    if request.headers().get(header::IF_RANGE).is_some_and(|tag| tag.as_bytes() != etag.as_bytes()) {
        return Part::Whole;
    }
    read_range(range, artifact.size)
}

/// The part of a file of this size that a `Range` header requests. An invalid header is ignored.
#[must_use]
pub fn read_range(range: &str, size: u64) -> Part {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|text| text.trim().split_once('-')) else {
        return Part::Whole;
    };
    let number =
        |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    match (number(first), number(last)) {
        (None, Some(0)) if first.is_empty() => Part::Nothing,
        (None, Some(_)) if first.is_empty() && size == 0 => Part::Nothing,
        (None, Some(suffix)) if first.is_empty() => Part::Range(size.saturating_sub(suffix), size - 1),
        (Some(first), _) if first >= size => Part::Nothing,
        (Some(first), None) if last.is_empty() => Part::Range(first, size - 1),
        (Some(first), Some(last)) if first <= last => Part::Range(first, last.min(size - 1)),
        _ => Part::Whole,
    }
}

fn unsatisfiable(artifact: &Artifact) -> HttpResponse {
    let problem = Problem::new(
        Code::RangeNotSatisfiable,
        format!("the range is outside the file, which has {} bytes", artifact.size),
    );
    json::with_header(problem.error_response(), header::CONTENT_RANGE, &format!("bytes */{}", artifact.size))
}

/// The content types of what vendors publish.
const TYPES: [(&str, &str); 12] = [
    (".tar.gz", "application/gzip"),
    (".tgz", "application/gzip"),
    (".gz", "application/gzip"),
    (".zip", "application/zip"),
    (".msi", "application/x-msi"),
    (".exe", "application/vnd.microsoft.portable-executable"),
    (".dmg", "application/x-apple-diskimage"),
    (".deb", "application/vnd.debian.binary-package"),
    (".rpm", "application/x-rpm"),
    (".xz", "application/x-xz"),
    (".zst", "application/zstd"),
    (".7z", "application/x-7z-compressed"),
];

/// The content type of a file by its name. It is never one that a browser would run.
fn content_type(filename: &Filename) -> &'static str {
    let name = filename.as_str().to_ascii_lowercase();
    TYPES
        .iter()
        .find(|(ending, _)| name.ends_with(ending))
        .map_or("application/octet-stream", |(_, content_type)| content_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (range, part) in [
            ("bytes=0-", Part::Range(0, 99)),
            ("bytes=10-19", Part::Range(10, 19)),
            ("bytes=90-1000", Part::Range(90, 99)),
            ("bytes=-10", Part::Range(90, 99)),
            ("bytes=-1000", Part::Range(0, 99)),
            ("bytes=100-", Part::Nothing),
            ("bytes=-0", Part::Nothing),
            ("bytes=19-10", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=-", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("bytes=99999999999999999999-", Part::Whole),
        ] {
            assert_eq!(read_range(range, 100), part, "{range}");
        }
        assert_eq!(read_range("bytes=0-", 0), Part::Nothing);
        assert_eq!(read_range("bytes=-5", 0), Part::Nothing);
    }
}
