//! One role and one database a service, made when they are missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use platform::Env;
use platform::store::postgres::provision::{Account, address, is_taken, owner, provision};

use crate::cli::ServiceName;
use crate::config::Config;
use crate::data::DataFolder;

/// In the data folder: a file with the password of each service's role.
const SECRETS: &str = "secrets";

/// Where each service's database is. With `{service}` in `database.url` they are there already;
/// otherwise the role of that address makes them, and their passwords are kept in the data folder.
pub async fn prepare(
    env: &Env,
    config: &Config,
    folder: &DataFolder,
) -> Result<BTreeMap<&'static str, String>, String> {
    let owners = ServiceName::ALL.into_iter().filter(|service| *service != ServiceName::Gateway);
    let owners: Vec<&'static str> = owners.map(ServiceName::name).collect();
    let mut found = BTreeMap::new();
    let secrets = folder.folder(SECRETS)?;
    let is_named = config.database.url.expose().contains("{service}");
    if !is_named {
        // Before the first is made, so that nothing is left behind.
        for service in &owners {
            let admin = config.database.url_of(service)?;
            refuse_taken(&admin, &role(config, service), &secrets.join(service)).await?;
        }
    }
    for service in owners {
        // Checks the other keys of the section, too.
        let url = config.database.url_of(service)?;
        if is_named {
            found.insert(service, url);
            continue;
        }
        let password = password(env, &secrets.join(service))?;
        let account = Account { name: role(config, service), password };
        found.insert(service, provision(&url, &account).await?);
    }
    Ok(found)
}

/// Where the database of a service is: the one that `database.url` names, or that [`prepare`] has
/// made, also while a shop runs on the folder. `None` when neither.
pub async fn known(config: &Config, service: &str) -> Result<Option<String>, String> {
    if config.database.url.is_empty() {
        return Ok(None);
    }
    let url = config.database.url_of(service)?;
    if url != config.database.url.expose() {
        return Ok(Some(url));
    }
    let path = config.data.join(SECRETS).join(service);
    let Some(password) = kept(&path)? else {
        let is_its_own = owner(&url).await?.is_some_and(|owner| owner == service);
        return Ok(is_its_own.then_some(url));
    };
    address(&url, &Account { name: role(config, service), password }).map(Some)
}

fn role(config: &Config, service: &str) -> String {
    let prefix = config.broker.prefix.replace(['-', '.'], "_").to_lowercase();
    format!("{prefix}_{service}")
}

/// A role whose password we do not know is another shop's: it would lose its databases to this one.
async fn refuse_taken(admin: &str, name: &str, secret: &Path) -> Result<(), String> {
    if kept(secret)?.is_some() || !is_taken(admin, name).await? {
        return Ok(());
    }
    Err(format!(
        "the server has {name} already, and {} does not hold its password: it is another shop's. \
         Name this shop with --set broker.prefix=NAME, use the data folder of that shop, or drop \
         its databases and roles",
        secret.display()
    ))
}

fn kept(path: &Path) -> Result<Option<String>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn password(env: &Env, path: &Path) -> Result<String, String> {
    if let Some(password) = kept(path)? {
        return Ok(password);
    }
    let text = format!("{:032x}", u128::from_be_bytes(env.random()));
    let draft = PathBuf::from(format!("{}.new", path.display()));
    // Whole or not at all: a role with half a password would be out of reach.
    let written = crate::data::write_private(&draft, text.as_bytes());
    let written = written.and_then(|()| std::fs::rename(&draft, path));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text)
}
