//! HTTP/1.1 answers as they come over the wire, read strictly (RFC 9112).

/// An answer.
#[derive(Debug)]
pub struct Wire {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Wire {
    /// Everything that was said on a connection: none, one, or several answers, each whole.
    pub fn read_all(method: &str, mut said: &[u8]) -> Result<Vec<Self>, String> {
        let mut answers = Vec::new();
        while !said.is_empty() {
            let (answer, rest) = Self::read(method, said)?;
            said = rest;
            answers.push(answer);
        }
        Ok(answers)
    }

    /// The value of a header that is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn read<'a>(method: &str, said: &'a [u8]) -> Result<(Self, &'a [u8]), String> {
        let end = said.windows(4).position(|four| four == b"\r\n\r\n").ok_or("a head without an end")?;
        let head = std::str::from_utf8(&said[..end]).map_err(|_| "a head that is no text")?;
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let rest = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 ")).ok_or("no status line")?;
        let status = rest.split(' ').next().and_then(|status| status.parse().ok()).ok_or("no status")?;
        let headers = lines.map(header).collect::<Result<Vec<_>, _>>()?;
        for once in ["content-length", "content-type", "transfer-encoding", "date"] {
            if headers.iter().filter(|(name, _)| name == once).count() > 1 {
                return Err(format!("`{once}` twice"));
            }
        }
        let mut answer = Self { status, headers, body: Vec::new() };
        let rest = &said[end + 4..];
        let has_none = method == "HEAD" || status < 200 || matches!(status, 204 | 304);
        let length = answer.header("content-length").map(str::parse::<usize>).transpose().map_err(|_| "no length")?;
        match (answer.header("transfer-encoding"), length) {
            _ if has_none => Ok((answer, rest)),
            (Some("chunked"), None) => {
                let rest = answer.chunks(rest)?;
                Ok((answer, rest))
            }
            (None, Some(length)) if rest.len() >= length => {
                answer.body = rest[..length].to_vec();
                Ok((answer, &rest[length..]))
            }
            (None, Some(length)) => Err(format!("{} of {length} bytes", rest.len())),
            other => Err(format!("framed by {other:?}")),
        }
    }

    fn chunks<'a>(&mut self, mut rest: &'a [u8]) -> Result<&'a [u8], String> {
        loop {
            let end = rest.windows(2).position(|two| two == b"\r\n").ok_or("a chunk without a length")?;
            let length = std::str::from_utf8(&rest[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
            let length = length.ok_or("a chunk's length is none")?;
            let chunk = rest.get(end + 2..end + 2 + length).ok_or("half a chunk")?;
            rest = rest[end + 2 + length..].strip_prefix(b"\r\n").ok_or("a chunk without an end")?;
            self.body.extend(chunk);
            if length == 0 {
                return Ok(rest);
            }
        }
    }
}

fn header(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(": ").ok_or_else(|| format!("no header: {line:?}"))?;
    let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_token && !value.chars().any(char::is_control) {
        Ok((name.to_ascii_lowercase(), value.to_owned()))
    } else {
        Err(format!("no header: {line:?}"))
    }
}
