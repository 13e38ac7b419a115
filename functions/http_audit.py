"""The audit trail and certificates of destruction over HTTP: one function an operation."""

from functions.binding import http
from shared.audit import certificates, listing

listAuditEntries = http("list_audit_entries", listing.listing)
getAuditEntryProof = http("get_audit_entry_proof", listing.proof)
createAuditExport = http("create_audit_export", listing.export)
listCertificates = http("list_certificates", certificates.listing)
getCertificate = http("get_certificate", certificates.get)
getCertificateProof = http("get_certificate_proof", certificates.proof)
deleteCertificateName = http("delete_certificate_name", certificates.forget_name)
