/* base/mailbox.c -- how other threads speak to the main thread.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/mailbox.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct mail {
    struct mail *next;
    mail_fn *fn;
    void *ctx;
};

struct mailbox {
    pthread_mutex_t lock;
    struct mail *first, **last;
    size_t n;
    int fd;
};

struct mailbox *
mailbox_new(void)
{
    struct mailbox *m = mem_new(sizeof *m);

    pthread_mutex_init(&m->lock, NULL);
    m->last = &m->first;
    m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->fd < 0) {
        perror("lathe: eventfd");
        abort();
    }
    return m;
}

static struct mail *
take_one(struct mailbox *m)
{
    struct mail *mail;

    pthread_mutex_lock(&m->lock);
    mail = m->first;
    if (mail) {
        m->first = mail->next;
        if (!m->first)
            m->last = &m->first;
        m->n--;
    }
    pthread_mutex_unlock(&m->lock);
    return mail;
}

void
mailbox_free(struct mailbox *m)
{
    struct mail *mail;

    if (!m)
        return;
    while ((mail = take_one(m)))
        free(mail);
    close(m->fd);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

void
mailbox_post(struct mailbox *m, mail_fn *fn, void *ctx)
{
    struct mail *mail = mem_new(sizeof *mail);
    uint64_t one = 1;

    mail->fn = fn;
    mail->ctx = ctx;
    pthread_mutex_lock(&m->lock);
    *m->last = mail;
    m->last = &mail->next;
    m->n++;
    pthread_mutex_unlock(&m->lock);
    if (write(m->fd, &one, sizeof one) < 0) {
        /* The counter is full: it is readable, which is all that matters. */
    }
}

int
mailbox_fd(const struct mailbox *m)
{
    return m->fd;
}

size_t
mailbox_drain(struct mailbox *m)
{
    uint64_t count;
    size_t n, done = 0;
    struct mail *mail;

    if (read(m->fd, &count, sizeof count) < 0)
        count = 0;
    pthread_mutex_lock(&m->lock);
    n = m->n;
    pthread_mutex_unlock(&m->lock);
    /* One at a time: a mail that turns the loop lets an inner drain deliver
     * what still waits behind it. */
    while (done < n && (mail = take_one(m))) {
        mail_fn *fn = mail->fn;
        void *ctx = mail->ctx;

        free(mail);
        fn(ctx);
        done++;
    }
    return done;
}
