"""What the built-in roles that the stacks assign allow, as far as the emulated services look: their reference pages' data actions.

A role that is not here ends the update, so that none is left out unseen.
"""

BLOBS = {"blobs/read", "blobs/write", "blobs/delete", "containers/read", "containers/write", "containers/delete"}
ROLES = {
    # Storage Blob Data Owner, Contributor, Reader
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": BLOBS,
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": BLOBS,
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": {"blobs/read", "containers/read"},
    # Storage Queue Data Contributor, Message Sender
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": {
        "queues/read", "queues/write", "queues/delete", "messages/add", "messages/read", "messages/process",
    },
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": {"messages/add"},
    # Key Vault Secrets User, Officer
    "4633458b-17de-408a-b874-0445c86b69e6": {"secrets/read"},
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": {"secrets/read", "secrets/write"},
    # EventGrid Data Sender
    "d5a91429-5739-47e2-a06b-3470a27159e7": {"events/send"},
    # Cosmos DB Built-in Data Reader, Contributor
    "00000000-0000-0000-0000-000000000001": {"items/read"},
    "00000000-0000-0000-0000-000000000002": {"items/read", "items/write"},
    # Monitoring Metrics Publisher, Storage Table Data Contributor: for services that are not here
    "3913510d-42f4-4e42-8a64-420c390055eb": set(),
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": set(),
}  # fmt: skip
