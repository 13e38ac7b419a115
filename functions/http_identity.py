"""Tokens, API keys, sign-in codes; and the operator's: accounts, rotation, migration."""

from functions.binding import http
from shared import access, upkeep
from shared.access import api_keys, signin

issueToken = http("issue_token", access.issue_token)
listApiKeys = http("list_api_keys", api_keys.listing)
createApiKey = http("create_api_key", api_keys.create)
getOwnApiKey = http("get_own_api_key", api_keys.own)
getApiKey = http("get_api_key", api_keys.get)
deleteApiKey = http("delete_api_key", api_keys.delete)
createSigninCode = http("create_signin_code", signin.create)
previewSigninCode = http("preview_signin_code", signin.preview)
createAccount = http("create_account", api_keys.create_account)  # private
rotateKeys = http("rotate_keys", upkeep.rotate)  # private
signKeys = http("sign_keys", upkeep.migration.sign)  # private
vouchProjects = http("vouch_projects", upkeep.migration.vouch)  # private
resealValues = http("reseal_values", upkeep.migration.reseal)  # private
