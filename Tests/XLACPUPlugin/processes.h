// Several processes for the test plugin: their devices, and what these tell each other, by way of the key-value store that the caller of
// `PJRT_Client_Create` offers. Every collective is an exchange of all with all through the store: correct, and slow.
#ifndef FLUXION_TEST_PROCESSES_H
#define FLUXION_TEST_PROCESSES_H

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "xla/backends/cpu/collectives/cpu_collectives.h"
#include "xla/core/collectives/clique_key.h"
#include "xla/core/collectives/communicator.h"
#include "xla/pjrt/c/pjrt_c_api.h"
#include "xla/shape_util.h"

struct Store {
  PJRT_KeyValueGetCallback get;
  void* get_argument;
  PJRT_KeyValuePutCallback put;
  void* put_argument;
  // Makes the errors of the callbacks, and takes them apart.
  PJRT_CallbackError make_error;
  absl::Status (*take)(PJRT_Error*);

  absl::StatusOr<std::string> Get(const std::string& key) {
    PJRT_KeyValueGetCallback_Args args{};
    args.struct_size = PJRT_KeyValueGetCallback_Args_STRUCT_SIZE;
    args.key = key.data();
    args.key_size = key.size();
    args.timeout_in_ms = 60000;
    args.callback_error = &make_error;
    args.user_arg = get_argument;
    if (absl::Status s = take(get(&args)); !s.ok()) return s;
    std::string value(args.value, args.value_size);
    args.value_deleter_callback(args.value);
    return value;
  }

  absl::Status Put(const std::string& key, const std::string& value) {
    PJRT_KeyValuePutCallback_Args args{};
    args.struct_size = PJRT_KeyValuePutCallback_Args_STRUCT_SIZE;
    args.key = key.data();
    args.key_size = key.size();
    args.value = value.data();
    args.value_size = value.size();
    args.callback_error = &make_error;
    args.user_arg = put_argument;
    return take(put(&args));
  }
};

class StoreCommunicator : public xla::Communicator {
  using Buffer = stream_executor::DeviceAddressBase;
  using Future = xla::Future<>;

 public:
  StoreCommunicator(std::shared_ptr<Store> store, std::string name, size_t rank, size_t count)
      : store_(std::move(store)), name_(std::move(name)), rank_(rank), count_(count) {}

  Future AllReduce(Buffer in, Buffer out, xla::PrimitiveType type, size_t n, xla::ReductionKind kind, const Executor&) override {
    return Future(Reduced(std::string(Chars(in), n * Size(type)), Chars(out), type, kind, 0, n));
  }
  Future ReduceScatter(Buffer in, Buffer out, xla::PrimitiveType type, size_t n, xla::ReductionKind kind, const Executor&) override {
    return Future(Reduced(std::string(Chars(in), count_ * n * Size(type)), Chars(out), type, kind, rank_ * n, n));
  }
  Future AllGather(Buffer in, Buffer out, xla::PrimitiveType type, size_t n, const Executor&) override {
    auto parts = Exchanged(std::string(Chars(in), n * Size(type)));
    if (!parts.ok()) return Future(parts.status());
    for (size_t i = 0; i < count_; i++) std::memcpy(Chars(out) + i * n * Size(type), (*parts)[i].data(), (*parts)[i].size());
    return Future(absl::OkStatus());
  }
  Future CollectivePermute(Buffer in, Buffer out, xla::PrimitiveType type, size_t n, std::optional<xla::RankId> source,
                           absl::Span<const xla::RankId>, const Executor&) override {
    auto parts = Exchanged(std::string(Chars(in), n * Size(type)));
    if (!parts.ok()) return Future(parts.status());
    if (source) std::memcpy(Chars(out), (*parts)[source->value()].data(), n * Size(type));
    else std::memset(Chars(out), 0, n * Size(type));
    return Future(absl::OkStatus());
  }
  Future AllToAll(absl::InlinedVector<Buffer, 4> in, absl::InlinedVector<Buffer, 4> out, xla::PrimitiveType type, size_t n,
                  const Executor&) override {
    std::string all;
    for (const Buffer& b : in) all.append(Chars(b), n * Size(type));
    auto parts = Exchanged(std::move(all));
    if (!parts.ok()) return Future(parts.status());
    for (size_t i = 0; i < count_; i++) std::memcpy(Chars(out[i]), (*parts)[i].data() + rank_ * n * Size(type), n * Size(type));
    return Future(absl::OkStatus());
  }
  Future Broadcast(Buffer, Buffer, xla::PrimitiveType, size_t, xla::RankId, const Executor&) override { return None(); }
  Future Send(Buffer, xla::PrimitiveType, size_t, xla::RankId, const Executor&) override { return None(); }
  Future Recv(Buffer, xla::PrimitiveType, size_t, xla::RankId, const Executor&) override { return None(); }
  absl::StatusOr<size_t> NumRanks() const override { return count_; }
  std::string ToString() const override { return "StoreCommunicator " + name_ + " " + std::to_string(rank_); }

 private:
  static Future None() { return Future(absl::UnimplementedError("Not among the test plugin's collectives.")); }
  static char* Chars(const Buffer& b) { return static_cast<char*>(const_cast<void*>(b.opaque())); }
  static size_t Size(xla::PrimitiveType type) { return xla::ShapeUtil::ByteSizeOfPrimitiveType(type); }

  // What every device has, by rank. All take part in the same order, so that a count names the exchange.
  absl::StatusOr<std::vector<std::string>> Exchanged(std::string own) {
    std::string key = "exchange/" + name_ + "/" + std::to_string(turn_++) + "/";
    if (absl::Status s = store_->Put(key + std::to_string(rank_), own); !s.ok()) return s;
    std::vector<std::string> parts(count_);
    for (size_t i = 0; i < count_; i++) {
      if (i == rank_) {
        parts[i] = std::move(own);
        continue;
      }
      auto part = store_->Get(key + std::to_string(i));
      if (!part.ok()) return part.status();
      parts[i] = *std::move(part);
    }
    return parts;
  }

  absl::Status Reduced(std::string own, char* out, xla::PrimitiveType type, xla::ReductionKind kind, size_t first, size_t n) {
    auto parts = Exchanged(std::move(own));
    if (!parts.ok()) return parts.status();
    switch (type) {
      case xla::F32: return Reduce<float>(*parts, out, kind, first, n);
      case xla::F64: return Reduce<double>(*parts, out, kind, first, n);
      case xla::S32: return Reduce<int32_t>(*parts, out, kind, first, n);
      case xla::S64: return Reduce<int64_t>(*parts, out, kind, first, n);
      case xla::U32: return Reduce<uint32_t>(*parts, out, kind, first, n);
      case xla::U64: return Reduce<uint64_t>(*parts, out, kind, first, n);
      case xla::PRED: return Reduce<uint8_t>(*parts, out, kind, first, n);
      default: return absl::UnimplementedError("Not among the test plugin's reductions.");
    }
  }

  // In the order of the ranks: the same numbers everywhere.
  template <typename T>
  static absl::Status Reduce(const std::vector<std::string>& parts, char* out, xla::ReductionKind kind, size_t first, size_t n) {
    T* result = reinterpret_cast<T*>(out);
    for (size_t i = 0; i < n; i++) {
      T total{};
      for (size_t r = 0; r < parts.size(); r++) {
        T x;
        std::memcpy(&x, parts[r].data() + (first + i) * sizeof(T), sizeof(T));
        if (r == 0) total = x;
        else if (kind == xla::ReductionKind::SUM) total = total + x;
        else if (kind == xla::ReductionKind::PRODUCT) total = total * x;
        else if (kind == xla::ReductionKind::MIN) total = std::min(total, x);
        else total = std::max(total, x);
      }
      result[i] = total;
    }
    return absl::OkStatus();
  }

  std::shared_ptr<Store> store_;
  std::string name_;
  size_t rank_, count_;
  std::atomic<int64_t> turn_{0};
};

class StoreCollectives : public xla::cpu::CpuCollectives {
 public:
  explicit StoreCollectives(std::shared_ptr<Store> store) : store_(std::move(store)) {}
  absl::StatusOr<std::vector<std::unique_ptr<xla::Communicator>>> CreateCommunicators(
      const xla::CliqueKey& key, const std::optional<xla::CliqueIds>&, absl::Span<const DeviceRank> ranks, const Config&) override {
    std::string name;
    for (const auto& device : key.devices()) name += std::to_string(device.value()) + ",";
    std::vector<std::unique_ptr<xla::Communicator>> made;
    for (const DeviceRank& r : ranks) {
      made.push_back(std::make_unique<StoreCommunicator>(store_, name, r.rank.value(), key.num_devices()));
    }
    return made;
  }

 private:
  std::shared_ptr<Store> store_;
};

#endif
