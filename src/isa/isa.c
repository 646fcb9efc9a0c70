/* SPDX-License-Identifier: MPL-2.0 */
/* What processor: the -cpu option, and the names for the device tree. See isa.h and ext.def. */
#include "isa/isa.h"
#include <stdio.h>
#include <string.h>

struct ext_info {
    const char *name;
    bool on;
    enum isa_ext needs;
};

static const struct ext_info exts[EXT_COUNT] = {
#define EXT(symbol, name, on, needs) [EXT_##symbol] = {name, on, EXT_##needs},
#include "isa/ext.def"
#undef EXT
};
_Static_assert(EXT_COUNT <= 64, "struct isa holds extensions in 64 bits");

/* Extensions that are nothing but parts of others, and on exactly when those are. */
static const struct {
    enum isa_ext part, of, and;
} parts[] = {
    {EXT_ZAAMO, EXT_A, EXT_NONE}, {EXT_ZALRSC, EXT_A, EXT_NONE}, {EXT_ZCA, EXT_C, EXT_NONE},
    {EXT_ZCD, EXT_C, EXT_D},      {EXT_ZCF, EXT_C, EXT_F},
};

static const struct {
    const char *name;
    unsigned xlen, levels;
} translations[] = {{"sv32", 32, 2}, {"sv39", 64, 3}, {"sv48", 64, 4}, {"sv57", 64, 5}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The one width that has the extension, or 0: both have it. */
static unsigned only_width(enum isa_ext ext)
{
    switch (ext) {
    case EXT_ZCF: /* its encodings are c.ld and c.sd on rv64 */
        return 32;
    case EXT_SVNAPOT: /* bits that Sv32 entries do not have */
    case EXT_SVPBMT:
        return 64;
    default:
        return 0;
    }
}

static bool fits_width(const struct isa *isa, enum isa_ext ext)
{
    unsigned width = only_width(ext);
    return !width || width == isa->xlen;
}

static bool is_part(enum isa_ext ext, size_t *index)
{
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].part == ext) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* Drops what lacks something it needs, to the end of each chain, and sets the parts. */
static void settle(struct isa *isa)
{
    uint64_t before;

    do {
        before = isa->ext;
        for (size_t i = 0; i < COUNT(parts); i++) {
            uint64_t bit = 1ull << parts[i].part;
            isa->ext &= ~bit;
            if (isa_has(isa, parts[i].of) &&
                (parts[i].and == EXT_NONE || isa_has(isa, parts[i].and)))
                isa->ext |= bit;
        }
        for (int ext = 0; ext < EXT_COUNT; ext++) {
            enum isa_ext needs = exts[ext].needs;
            if ((needs != EXT_NONE && !isa_has(isa, needs)) || !fits_width(isa, ext))
                isa->ext &= ~(1ull << ext);
        }
    } while (isa->ext != before);
}

void isa_default(struct isa *isa, unsigned xlen)
{
    *isa = (struct isa){.xlen = xlen, .levels = xlen == 32 ? 2 : 4};
    for (int ext = 0; ext < EXT_COUNT; ext++)
        isa->ext |= (uint64_t)exts[ext].on << ext;
    settle(isa);
}

static bool unknown_name(const char *name, struct error *err)
{
    char known[400];
    size_t length = 0;

    for (int ext = 0; ext < EXT_COUNT && length < sizeof known; ext++)
        length += (size_t)snprintf(known + length, sizeof known - length, " %s", exts[ext].name);
    for (size_t i = 0; i < COUNT(translations) && length < sizeof known; i++)
        length +=
            (size_t)snprintf(known + length, sizeof known - length, " %s", translations[i].name);
    return error_set(err, "-cpu: unknown extension \"%s\"; there are:%s", name, known);
}

static bool set_translation(struct isa *isa, size_t which, bool on, struct error *err)
{
    const char *name = translations[which].name;
    unsigned levels = translations[which].levels;

    if (translations[which].xlen != isa->xlen)
        return error_set(err, "-cpu: %s is for rv%u, and this processor is rv%u", name,
                         translations[which].xlen, isa->xlen);
    if (on)
        isa->levels = levels;
    else if (isa->levels >= levels) /* below the first format there is none */
        isa->levels = levels > 3 ? levels - 1 : 0;
    return true;
}

static bool set_extension(struct isa *isa, enum isa_ext ext, bool on, struct error *err)
{
    size_t part;

    if (!on && (ext == EXT_I || ext == EXT_ZICSR))
        return error_set(err, "-cpu: %s cannot be switched off: every machine needs it",
                         exts[ext].name);
    if (on && !fits_width(isa, ext))
        return error_set(err, "-cpu: %s is for rv%u, and this processor is rv%u", exts[ext].name,
                         only_width(ext), isa->xlen);
    if (is_part(ext, &part) && on != isa_has(isa, ext))
        return error_set(err, "-cpu: %s is part of %s: switch that %s instead", exts[ext].name,
                         exts[parts[part].of].name, on ? "on" : "off");

    if (on) /* and what it needs, in turn */
        for (enum isa_ext e = ext; e != EXT_NONE; e = exts[e].needs)
            isa->ext |= 1ull << e;
    else
        isa->ext &= ~(1ull << ext);
    settle(isa);
    return true;
}

static bool set_item(struct isa *isa, char *item, struct error *err)
{
    char *value = strchr(item, '=');
    bool on;

    if (!value && !strncmp(item, "rv", 2))
        return error_set(err, "-cpu: unknown processor \"%s\"; there are: rv32 rv64", item);
    if (!value)
        return error_set(err, "-cpu: \"%s\": write %s=on or %s=off", item, item, item);
    *value++ = 0;
    if (!strcmp(value, "on"))
        on = true;
    else if (!strcmp(value, "off"))
        on = false;
    else
        return error_set(err, "-cpu: %s=%s: the value is on or off", item, value);

    for (size_t i = 0; i < COUNT(translations); i++)
        if (!strcmp(item, translations[i].name))
            return set_translation(isa, i, on, err);
    for (int ext = 0; ext < EXT_COUNT; ext++)
        if (!strcmp(item, exts[ext].name))
            return set_extension(isa, ext, on, err);
    return unknown_name(item, err);
}

bool isa_parse(struct isa *isa, const char *option, struct error *err)
{
    bool first = true;

    while (*option) {
        char item[64];
        size_t length = strcspn(option, ",");

        if (length >= sizeof item)
            return error_set(err, "-cpu: \"%.40s...\": no extension has so long a name", option);
        memcpy(item, option, length);
        item[length] = 0;

        if (!strcmp(item, "rv64") || !strcmp(item, "rv32")) {
            if (!first)
                return error_set(err, "-cpu: %s must come first", item);
            isa_default(isa, item[2] == '6' ? 64 : 32);
        } else if (!set_item(isa, item, err)) {
            return false;
        }
        first = false;
        option += length;
        if (*option == ',' && !*++option)
            return error_set(err, "-cpu: nothing follows the last comma");
    }
    return true;
}

size_t isa_string(const struct isa *isa, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "rv%u", isa->xlen);

    for (int ext = 0; ext < EXT_COUNT && length < size; ext++) {
        const char *name = exts[ext].name;
        if (isa_has(isa, ext))
            length +=
                (size_t)snprintf(text + length, size - length, "%s%s", name[1] ? "_" : "", name);
    }
    return length < size ? length : 0;
}

size_t isa_list(const struct isa *isa, char *list, size_t size)
{
    size_t length = 0;

    for (int ext = 0; ext < EXT_COUNT; ext++) {
        size_t name_size = strlen(exts[ext].name) + 1;
        if (!isa_has(isa, ext))
            continue;
        if (name_size > size - length)
            return 0;
        memcpy(list + length, exts[ext].name, name_size);
        length += name_size;
    }
    return length;
}
