//! The server within a test's own process: every route, over the application of [`crate::app::fixture`]. For the tables
//! of what a field may be, beside what reads the field; what takes a socket, a signal or a second process is tested in
//! `tests/it`.

use actix_web::{
    dev::ServiceResponse,
    http::{
        Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    rt::{System, SystemRunner},
    test::{self, TestRequest},
    web,
};
use futures_util::{FutureExt as _, future::LocalBoxFuture};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server;
use crate::app::{
    App,
    fixture::{EMAIL, PASSWORD},
};

type Service = dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>;

/// The server, and its first administrator's login.
pub(crate) struct InProcess {
    system: SystemRunner,
    service: Box<Service>,
    authorization: String,
    _folder: TempDir,
}

/// What it answers.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    content_type: String,
    body: Vec<u8>,
}

impl InProcess {
    /// Starts it, and logs the administrator in.
    pub(crate) fn start() -> Self {
        let (app, folder) = App::fixture();
        let system = System::new();
        let service = system.block_on(async {
            let service = std::rc::Rc::new(test::init_service(server::application(web::Data::new(app))).await);
            let call: Box<Service> = Box::new(move |request| {
                let service = std::rc::Rc::clone(&service);
                async move { Answer::read(test::call_service(&*service, request.to_request()).await).await }
                    .boxed_local()
            });
            call
        });
        let mut server = Self { system, service, authorization: String::new(), _folder: folder };
        let tokens = server.post("/api/v1/auth/login", &json!({"email": EMAIL, "password": PASSWORD})).ok();
        server.authorization = format!("Bearer {}", tokens["access_token"].as_str().expect("a token"));
        server
    }

    /// Sends a request as the administrator, with a JSON body unless that is null.
    pub(crate) fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send_as(Some(&self.authorization), method, path, body)
    }

    /// The same with other credentials, or none.
    pub(crate) fn send_as(&self, credentials: Option<&str>, method: Method, path: &str, body: &Value) -> Answer {
        let mut request = TestRequest::with_uri(path).method(method);
        if let Some(credentials) = credentials.filter(|credentials| !credentials.is_empty()) {
            request = request.insert_header((AUTHORIZATION, credentials));
        }
        if !body.is_null() {
            request = request.insert_header((CONTENT_TYPE, "application/json")).set_payload(body.to_string());
        }
        self.system.block_on((self.service)(request))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &Value::Null)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, body)
    }

    /// Adds the product `office-maker`.
    pub(crate) fn product(&self) {
        self.post("/api/v1/products", &json!({"slug": "office-maker", "name": "Office Maker"})).created();
    }

    /// Adds a customer; their id.
    pub(crate) fn customer(&self) -> String {
        let made = self.post("/api/v1/admin/customers", &json!({"name": "Studio Bianchi"})).created();
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Sells a subscription of `office-maker`; what was answered.
    pub(crate) fn subscription(&self) -> Value {
        let new = json!({"customer_id": self.customer(), "product": "office-maker", "deployment": "single_user",
            "starts_on": "2020-01-01", "ends_on": "2099-12-31"});
        self.post("/api/v1/admin/subscriptions", &new).created()
    }
}

impl Answer {
    async fn read(response: ServiceResponse<impl actix_web::body::MessageBody>) -> Self {
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE).map_or("", |value| value.to_str().expect("a text"));
        let content_type = content_type.to_owned();
        Self { status, content_type, body: test::read_body(response).await.to_vec() }
    }

    #[track_caller]
    fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
    }

    /// 200 with JSON.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        self.expect(200)
    }

    /// 201 with JSON.
    #[track_caller]
    pub(crate) fn created(&self) -> Value {
        self.expect(201)
    }

    /// A problem document with this status and code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Refused {
        let body = self.expect(status);
        assert_eq!(self.content_type, "application/problem+json", "{body}");
        assert_eq!((&body["code"], &body["status"]), (&json!(code), &json!(status)), "{body}");
        Refused(body)
    }
}

/// A refusal.
pub(crate) struct Refused(Value);

impl Refused {
    /// These fields are wrong, and no others.
    #[track_caller]
    pub(crate) fn names(self, fields: &[&str]) -> Self {
        let errors = self.0["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named: Vec<_> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
        assert_eq!(named, fields, "{}", self.0);
        self
    }

    /// The sentence has this in it.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.0["detail"].as_str().is_some_and(|detail| detail.contains(text)), "{}", self.0);
        self
    }
}
