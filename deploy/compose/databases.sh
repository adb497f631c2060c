#!/bin/bash
# Makes a database and its role for each service, when the server starts on an empty folder. A role
# reaches its own database and no other.
set -euo pipefail

for service in identity catalog inventory ordering payment; do
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set service="$service" --set password="$(cat "/run/secrets/${service}_password")" <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done
