/* SPDX-License-Identifier: Apache-2.0
 * admit/client.c - the client's address (stage 2 of 9, admit).
 * In: the address of a connection; X-Forwarded-For.  Out: an address. */
#include "admit/client.h"

#include <string.h>

/* "10.0.0.1", "10.0.0.1:4711", "fd00::1" or "[fd00::1]:4711", with blanks around it. false: none of these. */
static bool parse_entry(const char *text, size_t length, client_address *ret_address) {
    char entry[LIMIT_ADDRESS_BYTES + 9]; /* brackets, colon, port */
    while (length > 0 && strchr(" \t", text[0])) {
        text++;
        length--;
    }
    while (length > 0 && strchr(" \t", text[length - 1]))
        length--;
    if (length >= sizeof entry)
        return false;
    memcpy(entry, text, length);
    entry[length] = '\0';
    char *host = entry, *colon = strchr(entry, ':');
    if (entry[0] == '[') {
        host++;
        entry[strcspn(entry, "]")] = '\0';
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
    }
    return address_parse(host, ret_address);
}

void client_find(const proxy_list *trusted, const char *forwarded, char client[LIMIT_ADDRESS_BYTES]) {
    client_address address;
    bool is_address = address_parse(client, &address),
         is_proxy = is_address ? proxies_has(trusted, &address) : trusted->has_local;
    for (const char *end = forwarded + strlen(forwarded), *begin = end; is_proxy && end > forwarded; begin = end) {
        while (begin > forwarded && begin[-1] != ',')
            begin--;
        if (!parse_entry(begin, (size_t)(end - begin), &address))
            break;
        is_address = true;
        is_proxy = proxies_has(trusted, &address);
        end = begin > forwarded ? begin - 1 : forwarded;
    }
    if (is_address)
        address_write(&address, client);
}
