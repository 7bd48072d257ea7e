"""Satchel: a self-hosted store for digital goods. `create_app` is the only place that wires it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from email.utils import quote
from typing import TYPE_CHECKING

from flask import Flask

from app import cli, errors, logs, security, static_files, template_tools
from app.blueprints import admin, auth, cart, catalog, checkout, health, library
from app.extensions import (
    db,
    engine_options,
    limiter,
    login_manager,
    mail,
    migrate,
    prepare_engine,
)
from app.mail.send import Mailer, Smtp
from app.payments import registry
from app.services import accounts
from app.services.notebook import Notebook
from app.storage import LocalFiles, Storage
from app.wiring import Wiring
from config import Config

if TYPE_CHECKING:
    from app.payments.base import PaymentProvider


def create_app(
    config: Config | None = None,
    *,
    providers: Sequence[PaymentProvider] | None = None,
    mailer: Mailer | None = None,
    storage: Storage | None = None,
) -> Flask:
    """A store under `config` (by default the environment's), with the outside things handed in."""
    config = config or Config.from_env()
    if providers is None:
        providers = registry.build(config, Notebook())
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=config.secret_key,
        SECRET_KEY_FALLBACKS=list(config.secret_key_fallbacks),
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(config.database_url),
        PERMANENT_SESSION_LIFETIME=timedelta(days=config.session_days),
        RATELIMIT_STORAGE_URI=config.ratelimit_storage_url,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        MAIL_SERVER=config.mail_server,
        MAIL_PORT=config.mail_port,
        MAIL_USE_TLS=config.mail_use_tls,
        MAIL_USERNAME=config.mail_username,
        MAIL_PASSWORD=config.mail_password,
        MAIL_DEFAULT_SENDER=f'"{quote(config.store_name)}" <{config.mail_from}>',
    )
    app.extensions["satchel"] = Wiring(
        config=config,
        providers={provider.id: provider for provider in providers},
        mailer=mailer or Smtp(),
        files=storage or LocalFiles(config.storage_dir / "files"),
        pictures=LocalFiles(config.storage_dir / "pictures"),
    )
    for extension in (db, migrate, mail, login_manager, limiter):
        extension.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    login_manager.user_loader(accounts.signed_in)
    for part in (logs, security, errors, template_tools, static_files, cli):
        part.init_app(app)
    for part in (catalog, cart, checkout, library, auth, admin, health):
        app.register_blueprint(part.bp)
    return app
