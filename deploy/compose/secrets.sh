#!/usr/bin/env bash
# Makes the passwords of the composed shop, once, in the folder `secrets` beside this script. The
# folder is closed to others; the files in it are not, because the users inside the containers that
# read them are not whoever runs this.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

mkdir -p -m 700 secrets

password() {
    [ -s "secrets/$1" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$1"
}

password postgres_password
for service in identity catalog inventory ordering payment; do
    password "${service}_password"
    printf 'postgres://%s:%s@postgres:5432/%s' \
        "$service" "$(cat "secrets/${service}_password")" "$service" > "secrets/${service}_database"
done
password rabbitmq_password
printf 'default_user = mercat\ndefault_pass = %s\n' "$(cat secrets/rabbitmq_password)" \
    > secrets/rabbitmq.conf
printf 'amqp://mercat:%s@rabbitmq:5672/%%2f' "$(cat secrets/rabbitmq_password)" > secrets/rabbitmq_url
chmod 644 secrets/*
