/* SPDX-License-Identifier: MPL-2.0 */
/* Addresses of IPv4 and IPv6: struct sockaddr_in and sockaddr_in6, htons, inet_pton and their like. */
#ifndef RVVM_HOST_INET_H
#define RVVM_HOST_INET_H

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#endif

#endif
