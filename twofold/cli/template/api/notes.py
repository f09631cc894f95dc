"""Notes: created, read, listed, replaced and deleted. All lie in one partition of the collection `documents`."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, Security
from pydantic import BaseModel, ConfigDict, Field

from twofold.bootstrap import Services
from twofold.errors import Conflict
from twofold.http.auth import authorize
from twofold.http.idempotency import operation_id
from twofold.http.openapi import responses
from twofold.http.problem import Problem
from twofold.portable.document_store import ABSENT, Document, at_version

NOTES = "documents", "notes"
IfMatch = Annotated[str | None, Header(description="the ETag of the version that the caller has seen")]


class Note(BaseModel):
    """What a caller writes; other members are refused."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=10_000)


class StoredNote(Note):
    """A note with its id."""

    id: str


class NoteList(BaseModel):
    """A page of notes; `cursor` is null at the end."""

    notes: list[StoredNote]
    cursor: str | None


def routes(services: Services) -> APIRouter:
    """Every route, over these services. Each needs a token with the scope `notes`."""
    router = APIRouter(prefix="/notes", tags=["notes"], dependencies=[Security(authorize, scopes=["notes"])])

    @router.post("", status_code=201, operation_id="createNote")
    async def create(note: Note, request: Request, response: Response) -> StoredNote:
        """Creates a note. With an Idempotency-Key a repetition gets the first answer."""
        note_id = operation_id(request.scope)
        version = await services.documents.put(*NOTES, note_id, note.model_dump(), condition=ABSENT)
        response.headers["Location"] = f"/notes/{note_id}"
        response.headers["ETag"] = f'"{version}"'
        return StoredNote(id=note_id, text=note.text)

    @router.get("", operation_id="listNotes")
    async def list_all(
        limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: Annotated[str | None, Query(max_length=100)] = None
    ) -> NoteList:
        """A page of notes, ordered by id."""
        page = await services.documents.query(*NOTES, limit=limit, cursor=cursor)
        return NoteList(notes=[_stored(document) for document in page.documents], cursor=page.cursor)

    @router.get("/{note_id}", operation_id="getNote", responses=responses(404))
    async def get(note_id: str, response: Response) -> StoredNote:
        """A note, with its version as ETag."""
        document = await _found(note_id)
        response.headers["ETag"] = f'"{document.version}"'
        return _stored(document)

    @router.put("/{note_id}", operation_id="replaceNote", responses=responses(404, 412))
    async def replace(note_id: str, note: Note, response: Response, if_match: IfMatch = None) -> StoredNote:
        """Replaces a note; 412 when If-Match names another version than the current one."""
        condition = at_version((if_match.strip('"') if if_match else None) or (await _found(note_id)).version)
        try:
            version = await services.documents.put(*NOTES, note_id, note.model_dump(), condition=condition)
        except Conflict as exc:
            await _found(note_id)
            raise Problem(412, "stale", "the note has changed since that version") from exc
        response.headers["ETag"] = f'"{version}"'
        return StoredNote(id=note_id, text=note.text)

    @router.delete("/{note_id}", status_code=204, operation_id="deleteNote")
    async def delete(note_id: str) -> None:
        """Deletes a note; one that is not there is no error."""
        await services.documents.delete(*NOTES, note_id)

    async def _found(note_id: str) -> Document:
        document = await services.documents.get(*NOTES, note_id)
        if document is None:
            raise Problem(404, "note-not-found", f"there is no note {note_id}")
        return document

    return router


def _stored(document: Document) -> StoredNote:
    return StoredNote(id=document.id, text=document.body["text"])
