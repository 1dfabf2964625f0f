"""Masks that stand in a text already: `[EMAIL]`, `[PERSON_4821397712]`. Any other word in brackets is as open as a word.

Knows the names of types, what masking calls them, and what other tools write; finds and hides nothing.
"""

from __future__ import annotations

import re

NAMES: list[str] = re.findall(
    r"[A-Z_]+",
    # by shape, by words around, by the model and by columns
    "EMAIL EMAIL_ADDRESS PHONE PHONE_NUMBER CARD CREDIT_CARD IBAN IBAN_CODE SSN US_SSN IP IP_ADDRESS CREDENTIALS "
    "URL_CREDENTIALS ACCOUNT ACCOUNT_NUMBER LICENCE US_DRIVER_LICENSE MEDICAL_LICENSE PASSPORT PASSWORD PIN USERNAME "
    "TAX_NUMBER ZIP_CODE PERSON ADDRESS STREET_ADDRESS LOCATION ORGANIZATION NRP TITLE AGE DATE_TIME DATE_OF_BIRTH URL "
    "PRIVATE DENIED NINO UK_NINO "
    # Presidio's
    "AU_MEDICARE AU_TFN CA_SIN CRYPTO DE_TAX_ID ES_NIE ES_NIF FI_PERSONAL_IDENTITY_CODE IN_AADHAAR IN_PAN IN_PASSPORT "
    "IT_FISCAL_CODE KR_RRN MAC_ADDRESS PL_PESEL SE_PERSONNUMMER SG_NRIC_FIN TR_NATIONAL_ID UK_DRIVING_LICENCE UK_NHS "
    "UK_PASSPORT US_ITIN US_MBI US_PASSPORT ZA_ID_NUMBER "
    # what else people and tools put in place of something
    "NAME REDACTED REMOVED HIDDEN MASKED LINK HANDLE",
)
MARK = re.compile(rf"\[(?:{'|'.join(NAMES)})(?:_\d+)?\]")
