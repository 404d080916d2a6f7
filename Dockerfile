# An image that runs the default study: docker build -t moxie . && docker run --rm -v "$PWD/results:/moxie/results" moxie
# Not built in the tests.
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /moxie
COPY . .
RUN make .venv/core.installed
ENTRYPOINT ["make", "run"]
