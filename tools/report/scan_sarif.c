/* SPDX-License-Identifier: MIT */
/* SARIF for scans: one run, a rule for each kind of finding. */
#include "report/scan_sarif.h"

#include <string.h>

#include "vgg/status.h"

static const char *const rule_texts[VGG_SCAN_RULES] = {
    [VGG_SCAN_RULE_NAME] = "A name is imported or called that is not known to be harmless",
    [VGG_SCAN_RULE_COMPUTED] = "What is imported or called is known at run time only",
    [VGG_SCAN_RULE_CHANGED] = "Attributes or items of something imported or of a tensor are set",
    [VGG_SCAN_RULE_EXTENSION] = "The loader is asked for a registered name or an object",
    [VGG_SCAN_RULE_BROKEN] = "A pickle ends early; Python runs what stands before",
    [VGG_SCAN_RULE_ARCHIVE] = "Two readers may see two different archives",
    [VGG_SCAN_RULE_SCRIPT] = "TorchScript code reaches files",
    [VGG_SCAN_RULE_UNREAD] = "A part could not be looked into",
};

static void write_text(struct json *json, const char *key, const char *text)
{
    json_open_object(json, key, true);
    json_string(json, "text", text);
    json_close_object(json);
}

void scan_sarif_begin(struct json *json)
{
    json_open_object(json, NULL, false);
    json_string(json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_string(json, "version", "2.1.0");
    json_open_array(json, "runs", false);
    json_open_object(json, NULL, false);
    json_open_object(json, "tool", false);
    json_open_object(json, "driver", false);
    json_string(json, "name", "vgg-infer");
    json_string(json, "version", vgg_version());
    json_open_array(json, "rules", false);
    for (int rule = 0; rule < VGG_SCAN_RULES; rule++) {
        json_open_object(json, NULL, true);
        json_string(json, "id", vgg_scan_rule_string((enum vgg_scan_rule)rule));
        write_text(json, "shortDescription", rule_texts[rule]);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
    json_close_object(json);
    json_string(json, "columnKind", "unicodeCodePoints");
    json_open_array(json, "results", false);
}

void scan_sarif_end(struct json *json)
{
    json_close_array(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

/* A path as a URI; what does not fit is left out. */
static void make_uri(const char *path, char *out, size_t bytes)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    size_t used = 0;
    for (; *path != '\0' && used + 4 < bytes; path++) {
        if (strchr(plain, *path) != NULL) {
            out[used++] = *path;
        } else {
            used += (size_t)snprintf(out + used, 4, "%%%02X", (unsigned)(unsigned char)*path);
        }
    }
    out[used] = '\0';
}

void scan_sarif_finding(struct json *json, const char *path, const struct vgg_scan_finding *finding)
{
    char uri[8192];
    if (finding->severity == VGG_SCAN_INERT) {
        return;
    }
    make_uri(path, uri, sizeof uri);
    json_open_object(json, NULL, true);
    json_string(json, "ruleId", vgg_scan_rule_string(finding->rule));
    json_integer(json, "ruleIndex", finding->rule);
    json_string(json, "level", finding->severity == VGG_SCAN_DANGEROUS ? "error" : "warning");
    write_text(json, "message", finding->message);
    json_open_array(json, "locations", true);
    json_open_object(json, NULL, true);
    json_open_object(json, "physicalLocation", true);
    json_open_object(json, "artifactLocation", true);
    json_string(json, "uri", uri);
    json_close_object(json);
    if (finding->file_offset != VGG_NO_OFFSET) {
        json_open_object(json, "region", true);
        json_integer(json, "byteOffset", (int64_t)finding->file_offset);
        json_integer(json, "byteLength", 1);
        json_close_object(json);
    }
    json_close_object(json);
    if (finding->member[0] != '\0') {
        json_open_array(json, "logicalLocations", true);
        json_open_object(json, NULL, true);
        json_string(json, "fullyQualifiedName", finding->member);
        json_close_object(json);
        json_close_array(json);
    }
    json_close_object(json);
    json_close_array(json);
    json_open_object(json, "properties", true);
    json_string(json, "severity", vgg_scan_severity_string(finding->severity));
    json_integer(json, "offset", (int64_t)finding->offset);
    json_close_object(json);
    json_close_object(json);
}
