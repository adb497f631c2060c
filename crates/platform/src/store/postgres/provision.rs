//! A role and a database for a service, on a server where we may create them.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

/// Who may connect to what.
#[derive(Clone, Debug)]
pub struct Account {
    /// Of the role and of its database: `[a-z0-9_]`, at most 63 bytes.
    pub name: String,
    pub password: String,
}

/// Makes the role and its database, each if it is missing, and answers the address for it. Sets the
/// password of a role that exists. `admin` needs CREATEDB and CREATEROLE. Idempotent.
pub async fn provision(admin: &str, account: &Account) -> Result<String, String> {
    let Account { name, password } = account;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > 63 || !name.chars().all(allowed) {
        return Err(format!("{name:?} cannot name a database: small letters, digits and _"));
    }
    if !password.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err("the password of a role may hold letters and digits".to_owned());
    }
    let options: PgConnectOptions = admin.parse().map_err(|error| told("database.url", &error))?;
    let mut connection = PgConnection::connect_with(&options.clone().disable_statement_logging())
        .await
        .map_err(|error| told("the server of database.url", &error))?;
    let failed = |error: sqlx::Error| told(&format!("the database {name}"), &error);
    let exists = "SELECT 1 FROM pg_roles WHERE rolname = $1";
    let role = sqlx::query(exists).bind(name).fetch_optional(&mut connection);
    let verb = if role.await.map_err(failed)?.is_some() { "ALTER" } else { "CREATE" };
    // Names and passwords cannot be parameters here; both were checked above.
    let role = format!("{verb} ROLE {name} LOGIN PASSWORD '{password}'");
    sqlx::raw_sql(AssertSqlSafe(role)).execute(&mut connection).await.map_err(failed)?;
    let exists = "SELECT 1 FROM pg_database WHERE datname = $1";
    let database = sqlx::query(exists).bind(name).fetch_optional(&mut connection);
    if database.await.map_err(failed)?.is_none() {
        let create =
            format!("CREATE DATABASE {name} OWNER {name} ENCODING 'UTF8' TEMPLATE template0");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.map_err(failed)?;
    }
    let _ = connection.close().await;
    let url = options.username(name).password(password).database(name).to_url_lossy();
    Ok(url.to_string())
}

/// Takes the database and the role away, with whoever is connected. Fine when they are not there.
pub async fn unprovision(admin: &str, name: &str) -> Result<(), String> {
    let failed = |error: sqlx::Error| told(&format!("the database {name}"), &error);
    let mut connection = PgConnection::connect(admin).await.map_err(failed)?;
    for sql in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("DROP ROLE IF EXISTS {name}"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map_err(failed)?;
    }
    Ok(())
}

fn told(what: &str, error: &sqlx::Error) -> String {
    format!("{what}: {error}")
}
