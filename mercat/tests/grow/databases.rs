//! A role and a database for each service, on the PostgreSQL of the tests.

use checker::Servers;
use platform::store::postgres::provision::{Account, provision, unprovision};
use platform::store::postgres::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection};
use platform::testing::servers::{POSTGRES, told_or_skipped};

const SERVICES: [&str; 5] = ["ordering", "inventory", "payment", "catalog", "identity"];
pub const PASSWORD: &str = "h1dden";

pub struct Databases {
    admin: String,
    prefix: String,
    template: String,
}

impl Databases {
    /// Empty ones; `None` without a server.
    pub async fn make(test: &str) -> Option<Self> {
        let [admin] = told_or_skipped([POSTGRES])?;
        let prefix = format!("{test}{}", std::process::id());
        let mut template = String::new();
        for service in SERVICES {
            let name = format!("{prefix}_{service}");
            let account = Account { name: name.clone(), password: PASSWORD.to_owned() };
            let url = provision(&admin, &account).await.expect("the tests' role may create");
            template = url.replace(&name, &format!("{prefix}_{{service}}"));
        }
        Some(Self { admin, prefix, template })
    }

    pub fn template(&self) -> String {
        self.template.clone()
    }

    fn url(&self, service: &str) -> String {
        self.template.replace("{service}", service)
    }

    /// As `--database` wants them.
    pub fn each(&self) -> Vec<(&'static str, String)> {
        SERVICES.map(|service| (service, format!("{service}={}", self.url(service)))).into()
    }

    pub fn servers(&self) -> Servers {
        let all = Servers::each(|service| Ok::<_, std::convert::Infallible>(self.url(service)));
        all.expect("each has an address")
    }

    async fn connect(&self, service: &str) -> PgConnection {
        PgConnection::connect(&self.url(service)).await.expect("it is there")
    }

    pub async fn run(&self, service: &str, sql: &str) {
        let mut connection = self.connect(service).await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
        let done = done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(done.rows_affected() > 0, "it changes something: {sql}");
    }

    pub async fn number(&self, service: &str, sql: &'static str) -> i64 {
        let mut connection = self.connect(service).await;
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect(sql)
    }

    /// Keeps the rows of a table, to bring them back.
    pub async fn save(&self, service: &str, table: &str) {
        let mut connection = self.connect(service).await;
        let sql = format!("CREATE TABLE saved AS TABLE {table}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it can be read");
    }

    pub async fn restore(&self, service: &str, table: &str) {
        let mut connection = self.connect(service).await;
        let sql = format!(
            "DELETE FROM {table}; INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM saved; \
             DROP TABLE saved"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it was there");
    }

    pub async fn take_away(self) {
        for service in SERVICES {
            let name = format!("{}_{service}", self.prefix);
            unprovision(&self.admin, &name).await.expect("nobody else uses it");
        }
    }
}
