"""The tagger's labels: for each type of entity a tag that begins one and a tag that goes on with it."""

ENTITIES = (
    "PERSON",
    "ADDRESS",
    "LOCATION",
    "ORGANIZATION",
    "PHONE_NUMBER",
    "CREDIT_CARD",
    "US_SSN",
    "ACCOUNT_NUMBER",
    "ID_NUMBER",
    "IBAN_CODE",
    "EMAIL_ADDRESS",
    "IP_ADDRESS",
)
OUTSIDE = 0


def begins(entity: str) -> int:
    """The number of the tag at the beginning of an entity."""
    return 1 + 2 * ENTITIES.index(entity)


def entity_of(tag: int) -> str:
    """The entity of a tag other than `OUTSIDE`."""
    return ENTITIES[(tag - 1) // 2]


TAGS = 1 + 2 * len(ENTITIES)
