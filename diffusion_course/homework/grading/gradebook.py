"""Where the records of a class are kept: a file a student, or a row a student of a PostgreSQL database.

A file is enough where one disk is shared. A database is for many machines whose disk promises less than to rename whole
files, and for whoever reads the points elsewhere. Either holds a record whole or not at all, the last one written.
"""

from pathlib import Path
from typing import Any

from .. import tables
from . import extra

# The lock: two who make the table at once would meet.
TABLE = """select pg_advisory_xact_lock(1); create table if not exists records
(class text, student text, record text not null, written timestamptz default now(), primary key (class, student))"""
WRITE = """insert into records (class, student, record) values (%s, %s, %s)
on conflict (class, student) do update set record = excluded.record, written = now()"""
READ = "select record from records where class = %s and student = %s"


class Files:
    """A folder with a file a student."""

    def __init__(self, folder: Path):
        self.folder = folder

    def read(self, student: str) -> str | None:
        """The record of a student as it was written, or None."""
        path = self.folder / f"{student}.json"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

    def write(self, student: str, record: str) -> None:
        tables.replace(self.folder / f"{student}.json", record.encode())


class Database:
    """The rows of one class in the database at `address`, postgresql://…; ValueError where it cannot be used.

    Each question has a connection of its own: one that was kept could be lost meanwhile, and a hundred workers that
    kept theirs are all that PostgreSQL takes.
    """

    def __init__(self, address: str, name: str):
        self.address, self.name, self._made = address, name, False

    def read(self, student: str) -> str | None:
        found = self._do(READ, self.name, student)
        return found[0] if found else None

    def write(self, student: str, record: str) -> None:
        self._do(WRITE, self.name, student, record)

    def _do(self, command: str, *values: str) -> Any:
        """The first row of the answer, if there are any."""
        with extra("gradebook"):
            import psycopg
        try:
            with psycopg.connect(self.address) as base:
                if not self._made:
                    base.execute(TABLE)
                    base.commit()
                    self._made = True
                done = base.execute(command, values)
                return done.fetchone() if done.description else None
        except psycopg.Error as error:
            raise ValueError(f"the gradebook's database cannot be used: {str(error).strip()}") from error
