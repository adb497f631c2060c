//! One role and one database a service, made when they are missing.

use std::collections::BTreeMap;
use std::path::Path;

use platform::Env;
use platform::store::postgres::provision::{Account, provision};

use crate::cli::ServiceName;
use crate::config::Config;
use crate::data::DataFolder;

/// Where each service's database is. With `{service}` in `database.url` they are there already;
/// otherwise the role of that address makes them, and their passwords are kept in the data folder.
pub async fn prepare(
    env: &Env,
    config: &Config,
    folder: &DataFolder,
) -> Result<BTreeMap<&'static str, String>, String> {
    let owners = ServiceName::ALL.into_iter().filter(|service| *service != ServiceName::Gateway);
    let mut found = BTreeMap::new();
    let secrets = folder.folder("secrets")?;
    for service in owners.map(ServiceName::name) {
        // Checks the other keys of the section, too.
        let url = config.database.url_of(service)?;
        if config.database.url.expose().contains("{service}") {
            found.insert(service, url);
            continue;
        }
        let prefix: String = config.broker.prefix.replace(['-', '.'], "_").to_lowercase();
        let password = password(env, &secrets.join(service))?;
        let account = Account { name: format!("{prefix}_{service}"), password };
        found.insert(service, provision(&url, &account).await?);
    }
    Ok(found)
}

fn password(env: &Env, path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        let text = std::fs::read_to_string(path).map_err(failed)?;
        return Ok(text.trim().to_owned());
    }
    let text = format!("{:032x}", u128::from_be_bytes(env.random()));
    crate::data::write_private(path, text.as_bytes()).map_err(failed)?;
    Ok(text)
}
