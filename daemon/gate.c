#include "daemon/gate.h"

#include "base/clock.h"

void gate_init(struct gate *gate, struct executor *executor, void (*on_trying)(void *argument),
               void *argument)
{
    *gate = (struct gate){
        .executor = executor,
        .state = GATE_OPEN,
        .on_trying = on_trying,
        .argument = argument,
    };
}

void gate_release(struct gate *gate)
{
    executor_cancel_timer(gate->executor, &gate->timer);
}

bool gate_admits(const struct gate *gate)
{
    return gate->state == GATE_OPEN || (gate->state == GATE_TRYING && !gate->trial);
}

uint32_t gate_enter(struct gate *gate)
{
    if (gate->state == GATE_TRYING)
        gate->trial = true;
    return gate->generation;
}

void gate_leave(struct gate *gate, uint32_t generation)
{
    if (gate->state != GATE_TRYING || generation != gate->generation || !gate->trial)
        return;
    gate->trial = false;
    gate->on_trying(gate->argument);
}

static void gate_wait_over(void *argument)
{
    struct gate *gate = argument;
    gate->state = GATE_TRYING;
    gate->trial = false;
    gate->on_trying(gate->argument);
}

bool gate_can_close(const struct gate *gate, uint32_t generation)
{
    return gate->state == GATE_OPEN ||
           (gate->state == GATE_TRYING && generation == gate->generation);
}

bool gate_close(struct gate *gate, uint32_t generation, const struct failure *failure,
                uint64_t wait_ms)
{
    if (!gate_can_close(gate, generation))
        return false;
    gate->failed_ms = executor_now(gate->executor);
    if (gate->state == GATE_OPEN) {
        gate->closed_ms = gate->failed_ms;
        gate->closed_wall_ms = clock_wall_ms();
    }
    gate->state = GATE_CLOSED;
    gate->generation++;
    gate->failures++;
    gate->failure = *failure;
    executor_after(gate->executor, &gate->timer, wait_ms, gate_wait_over, gate);
    return true;
}

bool gate_succeed(struct gate *gate, uint32_t generation)
{
    if (gate->state == GATE_OPEN || generation != gate->generation)
        return false;
    executor_cancel_timer(gate->executor, &gate->timer);
    gate->state = GATE_OPEN;
    gate->failures = 0;
    gate->failure = (struct failure){0};
    return true;
}

void gate_wait_more(struct gate *gate, uint64_t wait_ms)
{
    gate->state = GATE_CLOSED;
    executor_after(gate->executor, &gate->timer, wait_ms, gate_wait_over, gate);
}

void gate_try_now(struct gate *gate)
{
    if (gate->state != GATE_CLOSED)
        return;
    executor_cancel_timer(gate->executor, &gate->timer);
    gate_wait_over(gate);
}
