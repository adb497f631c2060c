//! Who may open which database, and who makes them.

use platform::store::postgres::provision::{Account, is_taken, provision, unprovision};
use platform::store::postgres::sqlx::postgres::PgConnectOptions;
use platform::store::postgres::sqlx::{
    self, AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection,
};
use platform::store::postgres::{OpenError, Options, PostgresEngine};
use platform::testing::servers::{POSTGRES, told_or_skipped};

use crate::sample::schema;
use crate::server::with_place;

#[tokio::test]
async fn the_database_of_another_service_is_left_alone() {
    with_place(async |place| {
        let (schema, _) = schema();
        place.open(&schema).await.map(drop).unwrap();
        let mut other = schema.clone();
        other.service = "neighbour";
        let refused = place.open(&other).await.map(drop).unwrap_err();
        assert!(refused.contains("this is the database of sample"), "{refused}");
        assert!(refused.contains("neighbour needs one of its own"), "{refused}");
        place.open(&schema).await.map(drop).unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_no_other_try_would_change_is_told_apart() {
    with_place(async |place| {
        let (schema, _) = schema();
        let open = async |url: String| {
            let opened = PostgresEngine::open(&place.test.env, &schema, &Options::new(url)).await;
            opened.map(drop).unwrap_err()
        };
        let url = place.options().url;
        let wrong = url.parse::<PgConnectOptions>().unwrap().password("hunter2");
        let refused = open(wrong.to_url_lossy().to_string()).await;
        assert!(matches!(&refused, OpenError::Refused(_)), "{refused:?}");
        assert!(
            refused.to_string().ends_with("password authentication failed for user \"mercat\"")
        );
        let refused = open("postgres://shop:hunter2@localhost:banana/shop".to_owned()).await;
        assert!(matches!(&refused, OpenError::Refused(_)), "{refused:?}");
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
        let away = open("postgres://shop:hunter2@127.0.0.1:1/shop".to_owned()).await;
        assert!(matches!(&away, OpenError::Away(_)), "{away:?}");
    })
    .await;
}

/// The tests' own role is a superuser; the manual asks for less.
#[tokio::test]
async fn a_role_that_may_create_roles_and_databases_makes_those_of_a_service() {
    let Some([server]) = told_or_skipped([POSTGRES]) else { return };
    let maker = format!("maker_{}", std::process::id());
    let account = Account { name: format!("made_{}", std::process::id()), password: "p1".into() };
    let run = async |sql: String| {
        let mut connection = PgConnection::connect(&server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    };
    let makes = "LOGIN CREATEDB CREATEROLE PASSWORD 'p0'";
    run(format!("DROP ROLE IF EXISTS {maker}; CREATE ROLE {maker} {makes}")).await;
    let admin = server.parse::<PgConnectOptions>().unwrap().username(&maker).password("p0");
    let admin = admin.to_url_lossy().to_string();
    assert!(!is_taken(&admin, &account.name).await.unwrap());
    let mut made = Ok(String::new());
    // Again when they are there already.
    for _ in 0..2 {
        made = provision(&admin, &account).await;
    }
    let is_there = is_taken(&admin, &account.name).await;
    let mut owner = PgConnection::connect(made.as_ref().unwrap()).await.unwrap();
    let owns = sqlx::raw_sql("CREATE TABLE mine (id BIGINT)").execute(&mut owner).await;
    // Whoever else has a role on the server.
    let stranger = server.parse::<PgConnectOptions>().unwrap().database(&account.name);
    run(format!("CREATE ROLE {maker}_2 LOGIN PASSWORD 'p2'")).await;
    let stranger = stranger.username(&format!("{maker}_2")).password("p2").connect().await;
    drop(owner);
    unprovision(&server, &account.name).await.unwrap();
    run(format!("DROP ROLE {maker}; DROP ROLE {maker}_2")).await;
    assert_eq!(is_there, Ok(true));
    owns.unwrap();
    let refused = stranger.map(drop).unwrap_err().to_string();
    assert!(refused.contains("permission denied"), "{refused}");
}
