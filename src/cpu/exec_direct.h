/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How the interpreter reaches memory for a hart without a machine (direct.h): the guest's address is the
 * host's. Included by exec_rv.h in place of the words that go through the TLB. What the host refuses comes
 * back as a signal, whose handler needs to know the slot.
 */
#define NOTE_SLOT \
    do { \
        h->slot = i; \
        atomic_signal_fence(memory_order_seq_cst); \
    } while (0)

/* Sanitizers know nothing of the guest's addresses, among which is 0. */
#define MAY_FAULT __attribute__((no_sanitize("address", "null")))

/* A word that may lie at any address: the host's loads and stores take them all, the compiler is told. */
#define PLAIN(t) \
    struct __attribute__((packed)) { \
        MEM_##t v; \
    }

#define LOAD(t, a) \
    ({ \
        const volatile PLAIN(t) *at_ = (const void *)(uintptr_t)(UX)(a); \
        NOTE_SLOT; \
        MEM_##t v_ = at_->v; \
        (uint64_t)(int64_t) v_; \
    })
#define STORE(t, a, v_to_store) \
    do { \
        volatile PLAIN(t) *at_ = (void *)(uintptr_t)(UX)(a); \
        MEM_##t v_ = (MEM_##t)(v_to_store); \
        NOTE_SLOT; \
        at_->v = v_; \
    } while (0)
#define ATOMIC_PLACE(t, a, access) \
    ({ \
        uint64_t va_ = (UX)(a); \
        if (unlikely(va_ & (sizeof(ATOMIC_##t) - 1))) { \
            hart_fault(h, access == ACCESS_READ ? CAUSE_LOAD_MISALIGNED : CAUSE_STORE_MISALIGNED, \
                       va_); \
            return exec_fault(h, i); \
        } \
        NOTE_SLOT; \
        (ATOMIC_##t *)(uintptr_t)va_; \
    })
