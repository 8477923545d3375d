"""What can be changed of each kind of record of API Gateway."""

import patch_fields as fields
import patch_values as values

_PARAMETER, _CONTENT_TYPE = "Invalid parameter name specified", "Content-Type specified was not found"

REST_API = {
    "apiKeySource": fields.Field(values.one_of("HEADER", "AUTHORIZER", message="Invalid API key source specified")),
    "binaryMediaTypes": fields.List(),
    "description": fields.Field(removable=True),
    "disableExecuteApiEndpoint": fields.Field(values.boolean),
    "endpointAccessMode": fields.Field(
        values.one_of(
            "BASIC", "STRICT", message="Invalid endpoint access mode specified. Valid options are BASIC,STRICT"
        )
    ),
    "endpointConfiguration": fields.Record(
        {
            "types": fields.EndpointTypes(),
            "ipAddressType": fields.Field(
                values.one_of("ipv4", "dualstack", message="ipAddressType must be either ipv4 or dualstack.")
            ),
            "vpcEndpointIds": fields.Addresses(),
        }
    ),
    "minimumCompressionSize": fields.Field(values.compression),
    "name": fields.Field(),
    "policy": fields.Field(),
    "securityPolicy": fields.Field(),
    "version": fields.Field(),
}
RESOURCE = {"parentId": fields.Field(), "pathPart": fields.Field()}
METHOD = {
    "apiKeyRequired": fields.Field(values.boolean),
    "authorizationScopes": fields.Addresses(),
    "authorizationType": fields.Field(),
    "authorizerId": fields.Field(),
    "operationName": fields.Field(),
    "requestModels": fields.Map(absent=_CONTENT_TYPE),
    "requestParameters": fields.Map(values.boolean, _PARAMETER),
    "requestValidatorId": fields.Field(),
}
METHOD_RESPONSE = {
    "responseModels": fields.Map(absent=_CONTENT_TYPE),
    "responseParameters": fields.Map(values.boolean, _PARAMETER),
}
INTEGRATION = {
    "cacheKeyParameters": fields.List(),
    "cacheNamespace": fields.Field(),
    "connectionId": fields.Field(),
    "connectionType": fields.Field(),
    "contentHandling": fields.Field(),
    "credentials": fields.Field(),
    "httpMethod": fields.Field(),
    "passthroughBehavior": fields.Field(
        values.one_of("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER", message="Invalid passthrough behavior")
    ),
    "requestParameters": fields.Map(absent=_PARAMETER),
    "requestTemplates": fields.Map(absent=_CONTENT_TYPE),
    "timeoutInMillis": fields.Field(values.integer(50, 29000, "Timeout should be between 50 ms and 29000 ms")),
    "uri": fields.Field(),
}
INTEGRATION_RESPONSE = {
    "contentHandling": fields.Field(),
    "responseParameters": fields.Map(absent=_PARAMETER),
    "responseTemplates": fields.Map(absent=_CONTENT_TYPE),
    "selectionPattern": fields.Field(),
}
DEPLOYMENT = {"description": fields.Field()}
STAGE = {
    "accessLogSettings": fields.Record({"destinationArn": fields.Field(), "format": fields.Field()}),
    "cacheClusterEnabled": fields.Field(values.boolean),
    "cacheClusterSize": fields.Field(),
    "canarySettings": fields.Canary(),
    "clientCertificateId": fields.Field(),
    "deploymentId": fields.Field(),
    "description": fields.Field(),
    "documentationVersion": fields.Field(),
    "tracingEnabled": fields.Field(values.boolean),
    "variables": fields.Map(values.variable),
}

# Of a stage, `/RESOURCE/METHOD/` and one of these; RESOURCE and METHOD are `*` or a path and a verb.
METHOD_SETTINGS = {
    "metrics/enabled": ("metricsEnabled", values.boolean),
    "logging/loglevel": ("loggingLevel", values.one_of("OFF", "ERROR", "INFO", message="Invalid logging level")),
    "logging/dataTrace": ("dataTraceEnabled", values.boolean),
    "throttling/burstLimit": ("throttlingBurstLimit", values.integer(-1, 2**31 - 1, "Invalid throttling burst limit")),
    "throttling/rateLimit": ("throttlingRateLimit", values.rate),
    "caching/enabled": ("cachingEnabled", values.boolean),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", values.integer(0, 3600, "Invalid cache TTL")),
    "caching/dataEncrypted": ("cacheDataEncrypted", values.boolean),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", values.boolean),
    "caching/unauthorizedCacheControlHeaderStrategy": ("unauthorizedCacheControlHeaderStrategy", values.text),
}
METHOD_SETTINGS_DEFAULT = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}
