/* What Exchange says in words with a response code. */
#ifndef EXCHANGE_RESPONSE_CODES_H
#define EXCHANGE_RESPONSE_CODES_H

/* The sentence of the code; a general one for codes that the simulator does not give by itself. */
const char *response_code_text(const char *code);

#endif
