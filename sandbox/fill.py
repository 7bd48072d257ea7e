"""Makes the sandbox's store ready: tables, goods and accounts. Doing it again does no harm."""

import argparse
import shutil
from pathlib import Path

from flask_migrate import upgrade

from app import create_app
from app.cli.products import import_folder
from app.extensions import db
from app.services import accounts
from sandbox import settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.fill", description="Fill the sandbox's store.")
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    with create_app().app_context():
        upgrade(str(settings.ROOT / "migrations"))
        _add_accounts(settings.passwords(directory))
        if not (directory / "filled").exists():
            goods = _goods(directory)
            print("Putting them on sale ...", flush=True)
            import_folder.main([str(goods)], standalone_mode=False)
            (directory / "filled").touch()


def _goods(directory: Path) -> Path:
    """The folder of sample goods, drawn if it is not there."""
    goods, fresh = directory / "goods", directory / "goods.new"
    if not goods.exists():
        from sandbox import samples

        print("Drawing the sample goods ... (this once, about twenty seconds)", flush=True)
        shutil.rmtree(fresh, ignore_errors=True)
        samples.write(fresh)
        fresh.rename(goods)
    return goods


def _add_accounts(passwords: dict[str, str]) -> None:
    for name, password in passwords.items():
        try:
            user = accounts.register(settings.ACCOUNTS[name], password)
        except accounts.EmailTaken:
            continue
        if name == "admin":
            user.is_admin = True
    db.session.commit()


if __name__ == "__main__":
    main()
