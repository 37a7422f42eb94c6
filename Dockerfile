# The application alone: Redis and drachtio-server run beside it (docker-compose.yml).
FROM node:20-bookworm-slim AS portal
WORKDIR /hotdesk
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src ./src
RUN node --import tsx src/portal/build.ts

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /hotdesk
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
COPY tsconfig.json ./
COPY config ./config
COPY src ./src
COPY --from=portal /hotdesk/build ./build
RUN mkdir -p /var/lib/hotdesk && chown node:node /var/lib/hotdesk
USER node
ENV HOTDESK_DATA=/var/lib/hotdesk
VOLUME /var/lib/hotdesk
EXPOSE 8080/tcp 36000-37000/udp
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--import", "tsx", "src/main.ts"]
