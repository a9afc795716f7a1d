//! `POST /api/v1/admin/explain`: why a program gets the answer it gets.

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, post};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeSeed, IntoDeserializer as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    domain::{
        decision::{facts::Check, reason::Verdict},
        id::SubscriptionId,
        platform::Component,
        version::Version,
    },
    http::{
        App, Problem,
        client::{self, check::CheckAnswer},
        extract::{Body, Caller, caller::ReadSubscriptions},
        json,
    },
    services::{desk::lookup, field::check_update, selling::subscriptions},
};

/// A check to explain, and for whom and when.
#[derive(Clone, Debug)]
pub struct Explain {
    check: Check,
    of: Circumstances,
}

/// A check to explain.
#[derive(Clone, Debug, ToSchema)]
struct Circumstances {
    /// The subscription to decide for; default none.
    subscription_id: Option<SubscriptionId>,
    /// The time of the decision; default now.
    at: Option<Timestamp>,
}

impl ToSchema for Explain {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Check::schemas(schemas);
        Circumstances::schemas(schemas);
    }
}

impl PartialSchema for Explain {
    /// The fields of both, as one object.
    fn schema() -> RefOr<Schema> {
        let mut whole = Check::schema();
        if let (RefOr::T(Schema::Object(whole)), RefOr::T(Schema::Object(own))) = (&mut whole, Circumstances::schema())
        {
            whole.description = own.description;
            whole.properties.extend(own.properties);
        }
        whole
    }
}

impl<'de> Deserialize<'de> for Explain {
    /// Takes the two fields out of the object, and leaves the others, the unknown ones too, to the check. serde's
    /// `flatten` does neither refuse unknown fields nor say which field is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Both;

        impl<'de> Visitor<'de> for Both {
            type Value = Explain;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("struct Explain")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Explain, A::Error> {
                let (mut subscription_id, mut at) = (None::<Given<_>>, None::<Given<_>>);
                let rest = Rest { map, subscription_id: &mut subscription_id, at: &mut at };
                let check = Check::deserialize(MapAccessDeserializer::new(rest))?;
                let of = Circumstances {
                    subscription_id: subscription_id.and_then(|given| given.0),
                    at: at.and_then(|given| given.0),
                };
                Ok(Explain { check, of })
            }
        }

        deserializer.deserialize_struct("Explain", &[], Both)
    }
}

/// The value of a field that is there; it may be `null`.
#[derive(Deserialize)]
#[serde(transparent)]
struct Given<T>(Option<T>);

/// An object without the fields of [`Circumstances`], which are put aside.
struct Rest<'a, A> {
    map: A,
    subscription_id: &'a mut Option<Given<SubscriptionId>>,
    at: &'a mut Option<Given<Timestamp>>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, mut seed: S) -> Result<Option<S::Value>, A::Error> {
        loop {
            seed = match self.map.next_key_seed(Name(seed))? {
                None => return Ok(None),
                Some(Field::OfCheck(name)) => return Ok(Some(name)),
                Some(Field::SubscriptionId(seed)) => {
                    once(&mut self.map, "subscription_id", self.subscription_id)?;
                    seed
                }
                Some(Field::At(seed)) => {
                    once(&mut self.map, "at", self.at)?;
                    seed
                }
            };
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Reads the value of a field that may be there once.
fn once<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    name: &'static str,
    place: &mut Option<T>,
) -> Result<(), A::Error> {
    if place.is_some() {
        return Err(de::Error::duplicate_field(name));
    }
    *place = Some(map.next_value()?);
    Ok(())
}

/// Reads the name of a field with a seed, unless the field is put aside.
struct Name<S>(S);

/// Which field it is; of one that is put aside with the seed, which was not used.
enum Field<S, T> {
    OfCheck(T),
    SubscriptionId(S),
    At(S),
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Name<S> {
    type Value = Field<S, S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(match name.as_str() {
            "subscription_id" => Field::SubscriptionId(self.0),
            "at" => Field::At(self.0),
            _ => Field::OfCheck(self.0.deserialize(name.into_deserializer())?),
        })
    }
}

/// A decision with its trace.
#[derive(Serialize, ToSchema)]
pub struct Explained<'a> {
    /// The answer that the program would get. Its links have no valid signature.
    decision: CheckAnswer<'a>,
    /// The verdict on each release that was considered, in ascending order.
    trace: Vec<ConsideredBody<'a>>,
}

/// The verdict on one release.
#[derive(Serialize, ToSchema)]
#[schema(as = Considered)]
pub struct ConsideredBody<'a> {
    /// Its version.
    #[schema(value_type = Version)]
    version: &'a Version,
    /// The program that it was considered for.
    component: Component,
    /// The verdict.
    verdict: Verdict,
}

/// Explain a decision: for every release that was considered, what became of it.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = Explain, example = json!({"product": "office-maker", "version": "12.4.0", "platform": "windows", "arch": "x86_64",
        "subscription_id": "0199a0de-0000-7000-8000-0000000000a1"})),
    responses((status = 200, description = "The decision and its trace.", body = Explained<'_>))
)]
#[post("/api/v1/admin/explain")]
pub async fn explain_decision(
    app: App,
    caller: Caller<ReadSubscriptions>,
    request: HttpRequest,
    body: Body<Explain>,
) -> Result<HttpResponse, Problem> {
    let Explain { check, of } = body.0;
    lookup::narrowed(&app.context, caller.reach.clone(), Some(&check.product))?;
    if let Some(id) = of.subscription_id {
        subscriptions::get(&app.context, caller.reach, id).await?;
    }
    let question = client::check::question(check, &request);
    let explained = check_update::explain(&app.context, &question, of.subscription_id, of.at, |answer| {
        let trace = answer
            .decision
            .trace
            .iter()
            .map(|one| ConsideredBody { version: one.version, component: one.component, verdict: one.verdict })
            .collect();
        json::answer(StatusCode::OK, &Explained { decision: client::check::render(&app, answer), trace })
    });
    Ok(explained.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: &str = r#""product":"office-maker","version":"12.4.0","platform":"windows","arch":"x86_64""#;

    #[test]
    fn a_check_and_its_circumstances_are_read_from_one_object() {
        let id = "0199a0de-0000-7000-8000-0000000000a1";
        let read = |fields: &str| Body::<Explain>::read(format!("{{{CHECK}{fields}}}").as_bytes());
        let explain = read(&format!(r#","subscription_id":"{id}","trigger":"manual","at":null"#)).expect("a check").0;
        assert_eq!(explain.of.subscription_id.map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!((explain.of.at, explain.check.trigger.as_str()), (None, "manual"));
        for (fields, field) in [
            (r#","colour":"red""#, "colour"),
            (r#","subscription_id":"x""#, "subscription_id"),
            (r#","at":"today""#, "at"),
            (r#","at":null,"at":null"#, "at"),
            (r#","channel":"Not A Slug""#, "channel"),
            (r#","product":"office-maker""#, "product"),
        ] {
            assert_eq!(read(fields).expect_err(fields).0.faults[0].field, field, "{fields}");
        }
        assert_eq!(Body::<Explain>::read(b"[]").expect_err("an array").0.faults[0].field, "body");
        assert_eq!(Body::<Explain>::read(b"{}").expect_err("nothing").0.faults[0].field, "product");
    }
}
