#!/bin/sh
# Writes the three secrets that docker-compose.yml reads into ./secrets; what is already there stays as it is.
# The folder keeps people out; the files are readable because the containers read them as another user.
set -eu
cd "$(dirname "$0")/../.."

draw() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
mkdir -p secrets
[ -s secrets/postgres_password ] || draw > secrets/postgres_password
[ -s secrets/secret_key ] || draw > secrets/secret_key
printf 'postgresql+asyncpg://cat_engine:%s@postgres:5432/cat_engine' "$(cat secrets/postgres_password)" \
    > secrets/database_url.new
mv -f secrets/database_url.new secrets/database_url
chmod 0444 secrets/postgres_password secrets/secret_key secrets/database_url
echo "secrets/ is ready; keep a copy of secrets/secret_key where you keep the backups."
