//! An identity provider (`OpenID` Connect Core 1.0): users are sent there to log in, by the authorisation code flow
//! with PKCE (RFC 7636), and come back with claims. Who may log in is decided above.

use aws_lc_rs::{
    constant_time,
    digest::{self, SHA256, SHA384, SHA512},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, decode_header};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
        BasicTokenType,
    },
    http,
    url::ParseError,
};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::issuer::{self, Claims, Discovery, Expected, Issuers, VerifyError};
use crate::egress::send;

/// The ID token in a token response (`OpenID` Connect Core 1.0, section 3.1.3.3).
#[derive(Deserialize, Serialize)]
struct WithIdToken {
    id_token: String,
}

impl std::fmt::Debug for WithIdToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("WithIdToken(hidden)")
    }
}

impl ExtraTokenFields for WithIdToken {}

type OAuth<HasAuthUrl, HasTokenUrl> = Client<
    BasicErrorResponse,
    StandardTokenResponse<WithIdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    HasAuthUrl,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    HasTokenUrl,
>;

/// Why a login at the provider failed. The text never contains codes, tokens or secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider does not answer, or not as it must. The message is for the operator.
    #[error("{0}")]
    Away(String),
    /// The provider does not accept the code.
    #[error("the identity provider does not accept the code: it was used before, or has expired")]
    CodeRefused,
    #[error("the ID token is invalid: {0}")]
    Token(VerifyError),
    /// The ID token belongs to another login.
    #[error("the ID token is invalid: its `{0}` is not that of this login")]
    NotOurs(&'static str),
}

impl From<VerifyError> for ProviderError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::NoKeys(_) => Self::Away(error.to_string()),
            other => Self::Token(other),
        }
    }
}

impl From<ParseError> for ProviderError {
    fn from(error: ParseError) -> Self {
        Self::Away(format!("one of its addresses is invalid: {error}"))
    }
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoAnswer(String);

/// How this server is registered at the provider.
#[derive(Clone)]
pub struct Registration {
    pub issuer: String,
    pub client_id: String,
    /// Empty if the provider does not require one.
    pub client_secret: String,
    pub scopes: Vec<String>,
    /// Where the provider sends users back to.
    pub redirect_uri: String,
}

/// A login that begins: the user is sent to the provider.
#[derive(Clone)]
pub struct Departure {
    /// Where to send the user.
    pub url: String,
    /// Comes back in the redirect.
    pub state: String,
    /// Will be in the ID token.
    pub nonce: String,
    /// Proves that the code is exchanged by the server that asked for it (PKCE).
    pub verifier: String,
}

/// A login that comes back, with what was stored when it began.
pub struct Return {
    pub code: String,
    /// As in [`Departure`].
    pub nonce: String,
    /// As in [`Departure`].
    pub verifier: String,
}

/// An identity provider.
pub struct Provider {
    issuers: Issuers,
    registration: Registration,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Provider")
    }
}

impl Provider {
    /// A provider where this server has this registration; `issuers` fetches its documents.
    pub fn new(issuers: Issuers, registration: Registration) -> Result<Self, String> {
        match issuers.objection(&registration.issuer) {
            Some(objection) => Err(objection),
            None => Ok(Self { issuers, registration }),
        }
    }

    /// The provider's issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.registration.issuer
    }

    /// The provider's discovery document.
    ///
    /// # Errors
    /// [`ProviderError::Away`].
    pub async fn discovery(&self, now: Timestamp) -> Result<Discovery, ProviderError> {
        Ok(self.issuers.discovery(self.issuer(), now).await?.as_ref().clone())
    }

    /// Checks whether the provider can be used, and says why not.
    pub async fn examine(&self, now: Timestamp) -> Result<(), String> {
        let discovery = self.issuers.examine(self.issuer(), now).await?;
        self.client(&discovery).map(drop).map_err(|error| error.to_string())
    }

    /// The OAuth client for the provider's endpoints.
    fn client(&self, discovery: &Discovery) -> Result<OAuth<EndpointSet, EndpointSet>, ProviderError> {
        let Registration { client_id, client_secret, redirect_uri, .. } = &self.registration;
        let named = |name: &str, url: &Option<String>| {
            url.clone().ok_or_else(|| ProviderError::Away(format!("its discovery document has no `{name}`")))
        };
        let client = OAuth::new(ClientId::new(client_id.clone()))
            .set_auth_uri(AuthUrl::new(named("authorization_endpoint", &discovery.authorization_endpoint)?)?)
            .set_token_uri(TokenUrl::new(named("token_endpoint", &discovery.token_endpoint)?)?)
            .set_redirect_uri(RedirectUrl::new(redirect_uri.clone())?);
        if client_secret.is_empty() {
            return Ok(client);
        }
        // The default is HTTP Basic (OpenID Connect Discovery 1.0, section 3).
        let methods = &discovery.token_endpoint_auth_methods_supported;
        let takes_basic = methods.is_empty() || methods.iter().any(|method| method == "client_secret_basic");
        let auth_type = if takes_basic { AuthType::BasicAuth } else { AuthType::RequestBody };
        Ok(client.set_client_secret(ClientSecret::new(client_secret.clone())).set_auth_type(auth_type))
    }

    /// Begins a login.
    ///
    /// # Errors
    /// [`ProviderError::Away`].
    pub async fn depart(&self, now: Timestamp) -> Result<Departure, ProviderError> {
        let client = self.client(&self.discovery(now).await?)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random().into_secret();
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(self.registration.scopes.iter().cloned().map(Scope::new))
            .add_extra_param("nonce", nonce.clone())
            .set_pkce_challenge(challenge)
            .url();
        Ok(Departure { url: url.into(), state: state.into_secret(), nonce, verifier: verifier.into_secret() })
    }

    /// The claims about a user who came back: those of the ID token, and if `is_whole` finds something missing, those
    /// of the userinfo endpoint as well.
    pub async fn claims(
        &self,
        back: Return,
        is_whole: impl Fn(&Claims) -> bool,
        now: Timestamp,
    ) -> Result<Claims, ProviderError> {
        let discovery = self.discovery(now).await?;
        let exchanged = self
            .client(&discovery)?
            .exchange_code(AuthorizationCode::new(back.code))
            .set_pkce_verifier(PkceCodeVerifier::new(back.verifier))
            .request_async(&|request| self.carry(request))
            .await
            .map_err(refused)?;
        let (id_token, access_token) = (&exchanged.extra_fields().id_token, exchanged.access_token().secret());
        let expected = Expected { issuer: self.issuer(), audience: &self.registration.client_id };
        let claims = self.issuers.verify(id_token, expected, now).await?;
        check(&claims, &Ours { client_id: &self.registration.client_id, nonce: &back.nonce, access_token, id_token })?;
        match discovery.userinfo_endpoint {
            Some(url) if !is_whole(&claims) => Ok(merged(self.ask(&url, access_token).await?, claims)?),
            _ => Ok(claims),
        }
    }

    /// Asks the userinfo endpoint (`OpenID` Connect Core 1.0, section 5.3).
    async fn ask(&self, url: &str, access_token: &str) -> Result<Claims, ProviderError> {
        let away = |error: String| ProviderError::Away(format!("its userinfo: {error}"));
        let request = self.issuers.egress().request(Method::GET, url).map_err(away)?.bearer_auth(access_token);
        let response = send(request).await.map_err(away)?;
        if !response.status().is_success() {
            return Err(away(format!("it answered {}", response.status())));
        }
        let body = issuer::body(response).await.map_err(away)?;
        serde_json::from_slice(&body).map_err(|_| away("it is not a JSON object".to_owned()))
    }

    /// Sends a request of the OAuth library.
    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let (head, body) = request.into_parts();
        let request = self.issuers.egress().request(head.method, &head.uri.to_string()).map_err(NoAnswer)?;
        let response = send(request.headers(head.headers).body(body)).await.map_err(NoAnswer)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut carried = http::Response::new(issuer::body(response).await.map_err(NoAnswer)?);
        *carried.status_mut() = status;
        *carried.headers_mut() = headers;
        Ok(carried)
    }
}

/// Why the code was not exchanged. The provider's answer may contain a token and is not repeated.
fn refused(error: RequestTokenError<NoAnswer, BasicErrorResponse>) -> ProviderError {
    ProviderError::Away(match error {
        RequestTokenError::ServerResponse(response) => match response.error() {
            BasicErrorResponseType::InvalidGrant => return ProviderError::CodeRefused,
            other => format!("it does not exchange the code: `{other}`; check client_id and client_secret"),
        },
        RequestTokenError::Request(error) => error.to_string(),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            "its answer to the code is invalid or has no ID token; check that the scopes include `openid`".to_owned()
        }
    })
}

/// What an ID token has to match.
#[derive(Clone, Copy)]
struct Ours<'o> {
    client_id: &'o str,
    nonce: &'o str,
    access_token: &'o str,
    /// The ID token itself, for its algorithm.
    id_token: &'o str,
}

/// Checks the claims that only ID tokens have (`OpenID` Connect Core 1.0, section 3.1.3.7).
fn check(claims: &Claims, ours: &Ours<'_>) -> Result<(), ProviderError> {
    let text = |name| claims.get(name).and_then(|claim| claim.as_str());
    if !text("nonce").is_some_and(|found| is_same(found, ours.nonce)) {
        return Err(ProviderError::NotOurs("nonce"));
    }
    if claims.contains_key("azp") && text("azp") != Some(ours.client_id) {
        return Err(ProviderError::NotOurs("azp"));
    }
    if claims.contains_key("at_hash") && text("at_hash") != left_half(ours.id_token, ours.access_token).as_deref() {
        return Err(ProviderError::NotOurs("at_hash"));
    }
    Ok(())
}

fn is_same(left: &str, right: &str) -> bool {
    constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}

/// The `at_hash` of an access token (`OpenID` Connect Core 1.0, section 3.1.3.6).
fn left_half(id_token: &str, access_token: &str) -> Option<String> {
    let algorithm = match decode_header(id_token).ok()?.alg {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &SHA384,
        // Ed25519 hashes with SHA-512.
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &SHA512,
        _ => &SHA256,
    };
    let hash = digest::digest(algorithm, access_token.as_bytes());
    hash.as_ref().get(..hash.as_ref().len() / 2).map(|half| URL_SAFE_NO_PAD.encode(half))
}

/// The claims of the userinfo endpoint, with the signed ones over them.
fn merged(asked: Claims, signed: Claims) -> Result<Claims, ProviderError> {
    // Otherwise the access token of another user could have been substituted.
    if asked.get("sub") != signed.get("sub") {
        return Err(ProviderError::NotOurs("sub"));
    }
    let mut all = asked;
    all.extend(signed);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// `{"alg":"RS256"}`, and in the place of the access token the code of `OpenID` Connect Core 1.0, appendix A.4,
    /// whose hash (`c_hash`) is made alike.
    const OURS: Ours<'static> = Ours {
        client_id: "sluice",
        nonce: "n-0S6_WzA2Mj",
        access_token: "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
        id_token: "eyJhbGciOiJSUzI1NiJ9.e30.x",
    };

    fn claims(fields: Value) -> Claims {
        let Value::Object(claims) = fields else { panic!("no object") };
        claims
    }

    #[test]
    fn an_id_token_matches_its_login_client_and_access_token() {
        let checked = |name: &str, value: Value| {
            let mut all = claims(json!({"nonce": OURS.nonce, "azp": "sluice", "at_hash": "LDktKdoQak3Pk0cnXxCltA"}));
            match value {
                Value::Null => drop(all.remove(name)),
                value => drop(all.insert(name.to_owned(), value)),
            }
            check(&all, &OURS)
        };
        assert_eq!(checked("x", json!(1)), Ok(()));
        for optional in ["azp", "at_hash"] {
            assert_eq!(checked(optional, Value::Null), Ok(()), "{optional}");
        }
        for (name, value) in [
            ("nonce", Value::Null),
            ("nonce", json!("n-0S6_WzA2Mk")),
            ("nonce", json!("")),
            ("nonce", json!(["n-0S6_WzA2Mj"])),
            ("azp", json!("other")),
            ("azp", json!(7)),
            ("at_hash", json!("LDktKdoQak3Pk0cnXxCltB")),
            ("at_hash", json!("")),
        ] {
            assert!(
                matches!(checked(name, value.clone()), Err(ProviderError::NotOurs(found)) if found == name),
                "{name} {value}"
            );
        }
    }

    #[test]
    fn an_access_tokens_hash_uses_its_id_tokens_algorithm() {
        let length = |header: &str| {
            let id_token = format!("{}.e30.x", URL_SAFE_NO_PAD.encode(header));
            left_half(&id_token, OURS.access_token).map(|hash| hash.len())
        };
        for (algorithm, letters) in [("ES256", 22), ("RS384", 32), ("PS512", 43), ("EdDSA", 43)] {
            assert_eq!(length(&format!("{{\"alg\":\"{algorithm}\"}}")), Some(letters), "{algorithm}");
        }
        assert_eq!(length("{}"), None);
    }

    #[test]
    fn user_info_is_of_the_same_person_and_signed_claims_go_first() {
        let signed = || claims(json!({"sub": "anna", "groups": ["a"]}));
        let asked = claims(json!({"sub": "anna", "groups": ["b"], "email": "anna@example.com"}));
        let all = merged(asked, signed()).expect("the same person");
        assert_eq!(Value::Object(all), json!({"sub": "anna", "groups": ["a"], "email": "anna@example.com"}));
        for asked in [json!({"sub": "bert"}), json!({})] {
            assert!(matches!(merged(claims(asked), signed()), Err(ProviderError::NotOurs("sub"))));
        }
    }
}
