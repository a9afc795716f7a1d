//! Corrects what utoipa derives in a roundabout or wrong way.

use utoipa::openapi::{
    Content, KnownFormat, ObjectBuilder, OpenApi, RefOr, Response, SchemaFormat, Type,
    path::{Operation, Parameter},
    schema::{AllOf, Object, Schema, SchemaType},
};

/// Corrects every parameter and every body.
pub fn tidy(openapi: &mut OpenApi) {
    for item in openapi.paths.paths.values_mut() {
        let all = [&mut item.get, &mut item.head, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in all.into_iter().flatten() {
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter {
                    tidy_parameter(parameter);
                }
            }
            tidy_bodies(operation);
        }
    }
}

fn tidy_parameter(parameter: &mut Parameter) {
    match &mut parameter.schema {
        Some(RefOr::T(Schema::AllOf(parts))) => {
            if let Some(merged) = merge(parts) {
                parameter.schema = Some(RefOr::T(Schema::Object(merged)));
            }
        }
        Some(RefOr::T(Schema::Object(object))) => {
            // It may be left out, but not be `null`: a header and a query have only texts.
            if let SchemaType::Array(types) = &object.schema_type
                && let [kind] = types.iter().filter(|kind| !matches!(kind, Type::Null)).collect::<Vec<_>>().as_slice()
            {
                object.schema_type = SchemaType::Type((*kind).clone());
            }
        }
        _ => {}
    }
}

/// utoipa derives a default as a second schema of type `object`; no value matches both.
fn merge(parts: &AllOf) -> Option<Object> {
    let [RefOr::T(Schema::Object(first)), RefOr::T(Schema::Object(second))] = parts.items.as_slice() else {
        return None;
    };
    let mut merged = first.clone();
    merged.default.clone_from(&second.default);
    Some(merged)
}

/// utoipa derives bytes as a list of numbers.
fn tidy_bodies(operation: &mut Operation) {
    const BYTES: [&str; 2] = ["application/octet-stream", "*/*"];
    let binary = || {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        Some(RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build())))
    };
    let set = |(kind, content): (&String, &mut RefOr<Content>)| {
        if let RefOr::T(content) = content
            && BYTES.contains(&kind.as_str())
        {
            content.schema = binary();
        }
    };
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.iter_mut().for_each(set);
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::<Response>::T(response) = response {
            response.content.iter_mut().for_each(set);
        }
    }
}
