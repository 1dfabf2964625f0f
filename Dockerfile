# One image for web, worker, reconciler and engine; docker-compose.yml gives each its command.
# Debian 12, for its pg_dump is that of the compose file's PostgreSQL 15: a later pg_restore asks for what 15 does not know.
FROM python:3.11-slim-bookworm AS studio
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 postgresql-client && rm -rf /var/lib/apt/lists/*
WORKDIR /studio
COPY requirements.txt deploy/constraints.txt ./
RUN pip install --no-cache-dir -c constraints.txt -r requirements.txt
COPY . .
RUN useradd --system --uid 10001 --user-group --create-home studio && mkdir /home/studio/home && chown studio /home/studio/home
USER studio
ENV STUDIO_HOME=/home/studio/home HOST=0.0.0.0 PYTHONUNBUFFERED=1 OMP_WAIT_POLICY=PASSIVE
EXPOSE 8000 8001
CMD ["python", "-m", "gptstudio.server", "--host", "0.0.0.0"]
