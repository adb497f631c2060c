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

/// Whether there is a role or a database of this name.
pub async fn is_taken(admin: &str, name: &str) -> Result<bool, String> {
    let mut connection = connect(&options_of(admin)?).await?;
    let taken = "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1) \
                 OR EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)";
    let taken = sqlx::query_scalar(taken).bind(name).fetch_one(&mut connection).await;
    let _ = connection.close().await;
    taken.map_err(|error| told(&format!("the database {name}"), &error))
}

/// Whose database this is, as its migrations tell; `None` when no service has worked there.
pub async fn owner(url: &str) -> Result<Option<String>, String> {
    let mut connection = connect(&options_of(url)?).await?;
    let failed = |error: sqlx::Error| told("database.url", &error);
    let known = "SELECT to_regclass('schema_migration') IS NOT NULL";
    let known = sqlx::query_scalar(known).fetch_one(&mut connection).await.map_err(failed)?;
    let owner = if known {
        let owner = "SELECT min(owner) FROM schema_migration WHERE owner <> 'platform'";
        sqlx::query_scalar(owner).fetch_one(&mut connection).await.map_err(failed)?
    } else {
        None
    };
    let _ = connection.close().await;
    Ok(owner)
}

fn options_of(admin: &str) -> Result<PgConnectOptions, String> {
    admin.parse().map_err(|error| told("database.url", &error))
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, String> {
    let options = options.clone().disable_statement_logging();
    let connecting = PgConnection::connect_with(&options);
    connecting.await.map_err(|error| told("the server of database.url", &error))
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
    let options = options_of(admin)?;
    let mut connection = connect(&options).await?;
    let failed = |error: sqlx::Error| told(&format!("the database {name}"), &error);
    let exists = "SELECT 1 FROM pg_roles WHERE rolname = $1";
    let role = sqlx::query(exists).bind(name).fetch_optional(&mut connection);
    let verb = if role.await.map_err(failed)?.is_some() { "ALTER" } else { "CREATE" };
    // Names and passwords cannot be parameters here; both were checked above.
    // Who gives a database away has to be one of those who get it, or the superuser.
    let is_superuser = is_superuser(&mut connection).await.map_err(failed)?;
    let join = if is_superuser { String::new() } else { format!("GRANT {name} TO CURRENT_USER") };
    let role = format!("{verb} ROLE {name} LOGIN PASSWORD '{password}'; {join}");
    sqlx::raw_sql(AssertSqlSafe(role)).execute(&mut connection).await.map_err(failed)?;
    let exists = "SELECT 1 FROM pg_database WHERE datname = $1";
    let database = sqlx::query(exists).bind(name).fetch_optional(&mut connection);
    if database.await.map_err(failed)?.is_none() {
        let create =
            format!("CREATE DATABASE {name} OWNER {name} ENCODING 'UTF8' TEMPLATE template0");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.map_err(failed)?;
    }
    let alone = format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC");
    sqlx::raw_sql(AssertSqlSafe(alone)).execute(&mut connection).await.map_err(failed)?;
    let _ = connection.close().await;
    address(admin, account)
}

/// The address for an account that [`provision`] has made.
pub fn address(admin: &str, account: &Account) -> Result<String, String> {
    let Account { name, password } = account;
    let options = options_of(admin)?.username(name).password(password).database(name);
    Ok(options.to_url_lossy().to_string())
}

async fn is_superuser(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER";
    sqlx::query_scalar(superuser).fetch_one(connection).await
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
    match error {
        sqlx::Error::Database(error) => format!("{what}: {}", error.message()),
        error => format!("{what}: {error}"),
    }
}
