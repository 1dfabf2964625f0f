# One image for web, worker, reconciler and engine; docker-compose.yml gives each its command.
# PG_MAJOR is the server's version, for pg_dump and pg_restore: 15 as in the compose file, which Debian 12 has itself. A later
# pg_restore asks for what 15 does not know, and an older pg_dump reads no later server.
FROM python:3.11-slim-bookworm AS studio
ARG PG_MAJOR=15
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 postgresql-common \
    && if [ "$PG_MAJOR" != 15 ]; then /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y; fi \
    && apt-get install -y --no-install-recommends "postgresql-client-$PG_MAJOR" && rm -rf /var/lib/apt/lists/*
WORKDIR /studio
COPY requirements.txt deploy/constraints.txt ./
RUN pip install --no-cache-dir -c constraints.txt -r requirements.txt
COPY . .
RUN useradd --system --uid 10001 --user-group --create-home studio && mkdir /home/studio/home && chown studio /home/studio/home
USER studio
ENV STUDIO_HOME=/home/studio/home HOST=0.0.0.0 PYTHONUNBUFFERED=1 OMP_WAIT_POLICY=PASSIVE
EXPOSE 8000 8001
CMD ["python", "-m", "gptstudio.server", "--host", "0.0.0.0"]
