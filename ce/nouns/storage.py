"""The rows of `persistentdatastore`, and what its commands show."""

from ce.body import Field, always, plain
from ce.call import Rows, Verb
from ce.rows import Kind, as_block, as_table, date, project, since, text
from ce.text import render
from ce.verbs import resources

STORE = as_block(
    {
        "Name": text("name"),
        "ID": text("id"),
        "Type": text("storage_type"),
        "Created": date("created_at", render.long_date),
        "Age": since("created_at"),
        "Project Name": project("name"),
        "Project ID": project("id"),
    },
    {
        "Data": {
            "COS bucket": text("data.bucket_name"),
            "Access secret": text("data.secret_name"),
            "Bucket region": text("data.bucket_location"),
        }
    },
)
STORES = as_table(
    "persistent_data_stores",
    {
        "Name": text("name"),
        "COS bucket": text("data.bucket_name"),
        "Access secret": text("data.secret_name"),
        "Bucket region": text("data.bucket_location"),
        "Age": since("created_at"),
    },
)

NOUNS = {
    "persistentdatastore": Rows(
        {
            "create": Verb(
                "Create a persistent data store: a bucket, and what gives access to it.",
                "[Q] --cos-access-secret/--cos-sec* --cos-bucket-name/--cos-bucket* --name/-n* "
                "--cos-bucket-location/--cos-loc",
                "|Successfully created persistent data store named '{name}'.\nOK",
                resources.create,
            ),
            "delete": Verb(
                "Delete a persistent data store; the bucket stays.",
                "[F I Q] --name/-n*",
                "Deleting persistent data store '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete persistent data store '{name}'? [y/N]> ",
            ),
            "get": Verb(
                "Show a persistent data store.",
                "[O Q] --name/-n*",
                "Getting persistent data store '{name}'...\nOK\n",
                resources.get,
                STORE,
            ),
            "list": Verb(
                "List persistent data stores.",
                "[O Q] --sort-by/-s=name",
                "Listing persistent data stores...\nOK",
                resources.listing,
                STORES,
            ),
        },
        Kind(
            "persistent_data_stores",
            "persistent data store",
            fields=(
                Field("storage_type", (), lambda _call: "object_storage", needed=always),
                *plain(
                    "cos_bucket_location=data.bucket_location",
                    "cos_bucket_name=data.bucket_name",
                    "cos_access_secret=data.secret_name",
                ),
            ),
        ),
    ),
}
