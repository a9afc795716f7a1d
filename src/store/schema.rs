//! The tables in the form of diesel. A test compares them with the migrations.
#![expect(missing_docs, reason = "the columns are described in the migrations")]

diesel::table! {
    settings (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> Binary,
        email -> Text,
        password_hash -> Text,
        role -> Text,
        created_at -> BigInt,
        products -> Nullable<Text>,
        totp_secret -> Nullable<Text>,
        totp_pending -> Nullable<Text>,
        totp_last_step -> Nullable<BigInt>,
        recovery_codes -> Text,
        revision -> BigInt,
        issuer -> Nullable<Text>,
        subject -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Binary,
        user_id -> Binary,
        family -> Binary,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        ends_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    removed_identities (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        removed_at -> BigInt,
    }
}

diesel::table! {
    products (id) {
        id -> Binary,
        slug -> Text,
        name -> Text,
        channels -> Text,
        default_locale -> Text,
        help_url -> Nullable<Text>,
        renew_url -> Nullable<Text>,
        expiry_policy -> Text,
        min_supported_version -> Nullable<Text>,
        timezone -> Text,
        required_artifacts -> Text,
        required_locales -> Text,
        revision -> BigInt,
        two_person_rule -> Bool,
    }
}

diesel::table! {
    trusted_publishers (id) {
        id -> Binary,
        product_id -> Binary,
        name -> Text,
        issuer -> Text,
        audience -> Nullable<Text>,
        claims -> Text,
        pins -> Text,
        scopes -> Text,
        created_at -> BigInt,
        created_by -> Nullable<Binary>,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    exchanged_identities (hash) {
        hash -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Binary,
        name -> Text,
        hash -> Binary,
        scopes -> Text,
        product_id -> Nullable<Binary>,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        publisher_id -> Nullable<Binary>,
        created_by -> Nullable<Binary>,
    }
}

diesel::table! {
    stops (product_id, channel) {
        product_id -> Binary,
        channel -> Text,
        reason -> Text,
        message -> Text,
        since -> BigInt,
    }
}

diesel::table! {
    releases (id) {
        id -> Binary,
        product_id -> Binary,
        version -> Text,
        precedence_key -> Text,
        channel -> Text,
        state -> Text,
        published_at -> Nullable<BigInt>,
        severity -> Text,
        access -> Text,
        min_from -> Nullable<Text>,
        compatible_clients -> Nullable<Text>,
        notes -> Text,
        rollout_percent -> BigInt,
        rollout_state -> Text,
        rollout_reason -> Nullable<Text>,
        yank_reason -> Nullable<Text>,
        created_at -> BigInt,
        manifest_revision -> BigInt,
        revision -> BigInt,
        rollout_plan -> Text,
        announced_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    artifacts (id) {
        id -> Binary,
        release_id -> Binary,
        component -> Text,
        platform -> Text,
        arch -> Text,
        kind -> Text,
        filename -> Text,
        size -> BigInt,
        sha256 -> Binary,
        signature -> Nullable<Text>,
        store -> Text,
    }
}

diesel::table! {
    manifests (release_id, revision) {
        release_id -> Binary,
        revision -> BigInt,
        body -> Binary,
        signature -> Binary,
        key_id -> Text,
    }
}

diesel::table! {
    customers (id) {
        id -> Binary,
        name -> Text,
        email -> Nullable<Text>,
        locale -> Nullable<Text>,
        external_ref -> Nullable<Text>,
        created_at -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    hosting_groups (id) {
        id -> Binary,
        slug -> Text,
        name -> Text,
        timezone -> Text,
        window_days -> Text,
        window_start -> Text,
        window_minutes -> BigInt,
        max_concurrent -> Nullable<BigInt>,
        revision -> BigInt,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Binary,
        customer_id -> Binary,
        product_id -> Binary,
        deployment -> Text,
        state -> Text,
        starts_on -> Text,
        ends_on -> Nullable<Text>,
        grace_days -> BigInt,
        channels -> Text,
        version_req -> Nullable<Text>,
        hosting_group_id -> Nullable<Binary>,
        external_ref -> Nullable<Text>,
        renews -> Bool,
        created_at -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    license_keys (id) {
        id -> Binary,
        subscription_id -> Binary,
        fingerprint -> Binary,
        imported -> Bool,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    installations (product_id, id) {
        product_id -> Binary,
        id -> Binary,
        subscription_id -> Nullable<Binary>,
        component -> Text,
        version -> Text,
        platform -> Text,
        arch -> Text,
        channel -> Text,
        locale -> Nullable<Text>,
        first_seen_at -> BigInt,
        last_seen_at -> BigInt,
    }
}

diesel::table! {
    runs (id, owner) {
        id -> Binary,
        owner -> Binary,
        product_id -> Binary,
        subscription_id -> Nullable<Binary>,
        installation_id -> Binary,
        component -> Text,
        from_version -> Text,
        to_version -> Text,
        stage -> Text,
        outcome -> Nullable<Text>,
        error_class -> Nullable<Text>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        scheduled_for -> Nullable<BigInt>,
        notify_email -> Nullable<Text>,
        locale -> Nullable<Text>,
        updater_time -> Nullable<BigInt>,
        first_reported_at -> BigInt,
        last_reported_at -> BigInt,
        release_id -> Nullable<Binary>,
        has_vote -> Bool,
        downloaded_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        lost_at -> Nullable<BigInt>,
        data_loss_at -> Nullable<BigInt>,
        known_problem -> Nullable<Text>,
        error_stage -> Nullable<Text>,
    }
}

diesel::table! {
    changes (id) {
        id -> BigInt,
        kind -> Text,
        first -> Binary,
        second -> Nullable<Binary>,
        at -> BigInt,
    }
}

diesel::table! {
    votes (release_id, subscription_id) {
        release_id -> Binary,
        subscription_id -> Binary,
        outcome -> Nullable<Text>,
        voted_at -> Nullable<BigInt>,
        data_loss_at -> Nullable<BigInt>,
        changed_at -> BigInt,
    }
}

diesel::table! {
    offers (release_id, site) {
        release_id -> Binary,
        site -> Binary,
        offered_at -> BigInt,
    }
}

diesel::table! {
    adoption (day, product_id, component, platform, deployment, version) {
        day -> Text,
        product_id -> Binary,
        component -> Text,
        platform -> Text,
        deployment -> Text,
        version -> Text,
        installations -> BigInt,
    }
}

diesel::table! {
    known_problems (id) {
        id -> Binary,
        product_id -> Binary,
        failure_class -> Nullable<Text>,
        code_pattern -> Nullable<Text>,
        platform -> Nullable<Text>,
        versions -> Nullable<Text>,
        texts -> Text,
        link -> Nullable<Text>,
        created_at -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    group_slots (hosting_group_id, subscription_id) {
        hosting_group_id -> Binary,
        subscription_id -> Binary,
        free_at -> BigInt,
    }
}

diesel::table! {
    mails (id) {
        id -> Binary,
        cause -> Text,
        kind -> Text,
        recipient -> Text,
        subscription_id -> Nullable<Binary>,
        subject -> Text,
        body -> Text,
        state -> Text,
        attempts -> BigInt,
        next_attempt_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        queued_at -> BigInt,
        sent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    webhooks (id) {
        id -> Binary,
        url -> Text,
        events -> Text,
        product_id -> Nullable<Binary>,
        enabled -> Bool,
        secret_number -> BigInt,
        rotated_at -> Nullable<BigInt>,
        created_at -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    webhook_messages (id) {
        id -> Binary,
        webhook_id -> Binary,
        cause -> Text,
        event -> Text,
        payload -> Text,
        state -> Text,
        attempts -> BigInt,
        next_attempt_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        queued_at -> BigInt,
        sent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_log (number) {
        number -> BigInt,
        at -> BigInt,
        actor_kind -> Text,
        actor_id -> Nullable<Binary>,
        actor_name -> Text,
        address -> Nullable<Text>,
        action -> Text,
        subject -> Text,
        product_id -> Nullable<Binary>,
        details -> Text,
        hash -> Binary,
    }
}

diesel::table! {
    approvals (id) {
        id -> Binary,
        product_id -> Binary,
        deed -> Text,
        subject -> Text,
        version -> Nullable<Text>,
        parameters -> Text,
        fingerprint -> Text,
        actor_kind -> Text,
        actor_id -> Nullable<Binary>,
        actor_name -> Text,
        requester -> Nullable<Binary>,
        requested_at -> BigInt,
        expires_at -> BigInt,
        outcome -> Nullable<Text>,
        decided_by -> Nullable<Binary>,
        decided_by_name -> Nullable<Text>,
        decided_at -> Nullable<BigInt>,
        note -> Nullable<Text>,
    }
}

diesel::joinable!(refresh_tokens -> users (user_id));
diesel::joinable!(trusted_publishers -> products (product_id));
diesel::joinable!(api_tokens -> products (product_id));
diesel::joinable!(api_tokens -> trusted_publishers (publisher_id));
diesel::joinable!(stops -> products (product_id));
diesel::joinable!(releases -> products (product_id));
diesel::joinable!(artifacts -> releases (release_id));
diesel::joinable!(manifests -> releases (release_id));
diesel::joinable!(subscriptions -> customers (customer_id));
diesel::joinable!(subscriptions -> products (product_id));
diesel::joinable!(subscriptions -> hosting_groups (hosting_group_id));
diesel::joinable!(license_keys -> subscriptions (subscription_id));
diesel::joinable!(installations -> products (product_id));
diesel::joinable!(installations -> subscriptions (subscription_id));
diesel::joinable!(runs -> products (product_id));
diesel::joinable!(runs -> subscriptions (subscription_id));
diesel::joinable!(votes -> releases (release_id));
diesel::joinable!(votes -> subscriptions (subscription_id));
diesel::joinable!(offers -> releases (release_id));
diesel::joinable!(adoption -> products (product_id));
diesel::joinable!(known_problems -> products (product_id));
diesel::joinable!(group_slots -> hosting_groups (hosting_group_id));
diesel::joinable!(group_slots -> subscriptions (subscription_id));
diesel::joinable!(mails -> subscriptions (subscription_id));
diesel::joinable!(approvals -> products (product_id));
diesel::joinable!(webhooks -> products (product_id));
diesel::joinable!(webhook_messages -> webhooks (webhook_id));
diesel::allow_tables_to_appear_in_same_query!(
    settings,
    users,
    refresh_tokens,
    removed_identities,
    products,
    trusted_publishers,
    exchanged_identities,
    api_tokens,
    stops,
    releases,
    artifacts,
    manifests,
    customers,
    hosting_groups,
    subscriptions,
    license_keys,
    installations,
    runs,
    votes,
    offers,
    adoption,
    known_problems,
    group_slots,
    mails,
    webhooks,
    webhook_messages,
    audit_log,
    approvals,
    changes,
);
