//! `/docs/errors`: all codes of problem documents; their `type` links lead here.

use std::fmt::Write as _;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};

use super::{error::status_and_title, headers::PAGE};
use crate::services::Code;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sluice: error codes</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733 }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #d5dce4 }
  tr:target { background: #fff3c4 }
  a { color: inherit }
</style>
<h1>Error codes</h1>
<p>Every refusal is a problem document (<a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>). Its <code>code</code>
is one of these and stays the same; its <code>detail</code> says what is wrong this time, and <code>errors</code>, with
status 422, which fields. The operations are described <a href="./">here</a>.</p>
<table>
<tr><th>Code</th><th>Status</th><th>Meaning</th></tr>
"#;

/// The page.
pub async fn show() -> HttpResponse {
    let mut rows: Vec<_> = Code::ALL.iter().map(|code| (status_and_title(*code), code.as_str())).collect();
    rows.sort_unstable_by_key(|((status, _), code)| (*status, *code));
    let mut page = HEAD.to_owned();
    for ((status, title), code) in rows {
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
        // Codes and titles are constants without HTML's special characters.
        let _ = writeln!(
            page,
            "<tr id=\"{code}\"><td><a href=\"#{code}\"><code>{code}</code></a></td><td>{status} {reason}</td><td>{title}</td></tr>"
        );
    }
    page.push_str("</table>\n</html>\n");
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .insert_header((header::CONTENT_SECURITY_POLICY, PAGE))
        .body(page)
}
