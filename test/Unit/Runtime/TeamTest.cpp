// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Team.h"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace umber;
using namespace umber::cpu;

namespace {

TEST(Barrier, OrdersWritesOfAllWorkers) {
  // In each round every worker writes its own plain cell, meets the others, and
  // must then see what all of them wrote in this round, not the one before.
  constexpr int kWorkers = 4;
  constexpr int kRounds = 3000;
  Barrier barrier(kWorkers);
  int cells[kWorkers] = {};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back([&, worker] {
      for (int round = 1; round <= kRounds; ++round) {
        cells[worker] = round;
        barrier.wait();
        for (int cell : cells) {
          wrong += cell != round;
        }
        barrier.wait();
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Barrier, WakesWorkersThatSleep) {
  // Longer than any worker spins and yields, so that the early one sleeps.
  Barrier barrier(2);
  std::atomic<int> passed{0};
  std::thread early([&] {
    for (int i = 0; i < 3; ++i) {
      barrier.wait();
      ++passed;
    }
  });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    EXPECT_EQ(passed, i);
    barrier.wait();
    while (passed != i + 1) {
      std::this_thread::yield();
    }
  }
  early.join();
}

struct Count {
  Team *team;
  std::atomic<int> perWorker[8];
  int sum = 0;
};

void countAndMeet(void *context, int worker) {
  Count &count = *static_cast<Count *>(context);
  for (int i = 0; i < 10; ++i) {
    ++count.perWorker[worker];
    count.team->meet();
    if (worker == 0) {
      ++count.sum; // plain: only one worker between two meetings
    }
    count.team->meet();
  }
}

TEST(Team, RunsEveryWorkerOnceEvenWithMoreWorkersThanCores) {
  for (int size : {1, 2, 3, 8}) {
    Result<std::unique_ptr<Team>> team = Team::create(size);
    ASSERT_TRUE(team.ok()) << team.status().message();
    ASSERT_EQ((*team)->size(), size);
    for (int run = 0; run < 20; ++run) {
      Count count{team->get(), {}, 0};
      (*team)->run(countAndMeet, &count);
      EXPECT_EQ(count.sum, 10);
      for (int worker = 0; worker < 8; ++worker) {
        EXPECT_EQ(count.perWorker[worker], worker < size ? 10 : 0);
      }
    }
  }
}

TEST(Team, CallersTakeTurns) {
  Result<std::unique_ptr<Team>> team = Team::create(2);
  ASSERT_TRUE(team.ok()) << team.status().message();
  std::vector<std::thread> callers;
  std::atomic<int> sums{0};
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      for (int run = 0; run < 50; ++run) {
        Count count{team->get(), {}, 0};
        (*team)->run(countAndMeet, &count);
        sums += count.sum;
      }
    });
  }
  for (std::thread &caller : callers) {
    caller.join();
  }
  EXPECT_EQ(sums, 3 * 50 * 10);
}

struct Visits {
  Team *team;
  std::vector<int> order; // plain: workers run one at a time
};

TEST(Team, TurnsGoByWorkerInTheOrderAskedFor) {
  for (Turns::Order order :
       {Turns::Order::Ascending, Turns::Order::Descending}) {
    Result<std::unique_ptr<Team>> team = Team::create(3, order);
    ASSERT_TRUE(team.ok()) << team.status().message();
    Visits visits{team->get(), {}};
    auto visit = [](void *context, int worker) {
      Visits &visits = *static_cast<Visits *>(context);
      for (int i = 0; i < 2; ++i) {
        visits.order.push_back(worker);
        visits.team->meet();
      }
    };
    (*team)->run(visit, &visits);
    (*team)->run(visit, &visits);
    std::vector<int> round = {0, 1, 2};
    if (order == Turns::Order::Descending) {
      std::reverse(round.begin(), round.end());
    }
    std::vector<int> expected;
    for (int i = 0; i < 4; ++i) {
      expected.insert(expected.end(), round.begin(), round.end());
    }
    EXPECT_EQ(visits.order, expected);
  }
}

TEST(Team, RefusesAbsurdSizes) {
  for (int size : {-1, 0, 257, 1 << 30}) {
    Result<std::unique_ptr<Team>> team = Team::create(size);
    ASSERT_FALSE(team.ok());
    EXPECT_EQ(team.status().message(),
              "threads must be 1 to 256, not " + std::to_string(size));
  }
}

} // namespace
