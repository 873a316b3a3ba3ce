// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ops/torch.h"

namespace linformer {

/// Device work that was recorded once and is started again as a whole.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  /// Records what `work` starts on the current stream; nothing is executed.
  virtual void capture(const std::function<void()>& work) = 0;
  virtual void replay() = 0;
};

/// Adam's settings and device scalars; see kernels/adam_cuda.h.
struct FusedAdam {
  struct Member {
    at::Tensor gradient;  // undefined counts as zero
    at::Tensor master;
    at::Tensor exp_avg;
    at::Tensor exp_avg_sq;
    at::Tensor shadow;
    double lr_scale;
  };
  std::vector<Member> members;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  bool is_decoupled;
  double gradient_clip;
  at::Tensor learning_rate;  // float32 scalars on the device
  at::Tensor steps;
  at::Tensor norms_P;
  at::Tensor norm;
};

/// Attention of packed sequences; see kernels/short_attention_cuda.h. Queries, keys and values may
/// be columns of wider matrices.
struct AcceleratedAttention {
  at::Tensor query_TM;
  at::Tensor key_SM;
  at::Tensor value_SM;
  at::Tensor query_start_B1;  // int32
  at::Tensor key_start_B1;
  at::Tensor out_TM;  // results
  at::Tensor lse_HT;
  std::int64_t heads;
  std::int64_t max_queries;  // of a sequence
  bool causal;
};

/// What a GPU does with kernels of our own (kernels/*_cuda.h) instead of compositions of ATen's.
/// All tensors are on the device; matrices are bfloat16. The functions of ops/ are its only
/// callers, training's graphs and optimizer excepted.
class Accelerator {
 public:
  virtual ~Accelerator() = default;

  /// As its vendor calls the device: "NVIDIA H200".
  virtual std::string device_name(at::Device device) const = 0;

  static constexpr std::int64_t kMaxNormWidth = 1024;
  struct Norm {
    at::Tensor sum_TM;  // x itself where nothing is added
    at::Tensor out_TM;
    at::Tensor mean_T;
    at::Tensor rstd_T;
    at::Tensor dropout_key;  // undefined without dropout
  };
  /// Of x + dropout(added); `added_TM` may be undefined.
  virtual Norm layer_norm(const at::Tensor& x_TM, const at::Tensor& added_TM, double dropout,
                          const at::Tensor& weight_M, const at::Tensor& bias_M,
                          double epsilon) const = 0;
  struct NormGradients {
    at::Tensor x_TM;
    at::Tensor added_TM;  // without dropout that of x
    at::Tensor weight_M;
    at::Tensor bias_M;
  };
  /// Gradients of the output, from its two readers, and of the sum. All but the first may be
  /// undefined.
  struct UpstreamGradients {
    at::Tensor out_TM;
    at::Tensor second_out_TM;
    at::Tensor sum_TM;
  };
  virtual NormGradients layer_norm_backward(const UpstreamGradients& upstream, const Norm& norm,
                                            double dropout, const at::Tensor& weight_M) const = 0;

  /// Sets out and lse.
  virtual void attend(AcceleratedAttention& attention) const = 0;
  /// Writes the gradients of queries, keys and values into what may be columns of wider matrices.
  virtual void attend_backward(const AcceleratedAttention& attention, const at::Tensor& gradient_TM,
                               const at::Tensor& query_gradient_TM,
                               const at::Tensor& key_gradient_SM,
                               const at::Tensor& value_gradient_SM) const = 0;

  /// The forward pass alone, for long sequences; kernels/long_attention_hopper.h: lse_HT is the
  /// natural log. False, and nothing is set, where there is no kernel: on another GPU or for this
  /// head width.
  virtual bool attend_long(AcceleratedAttention& attention) const = 0;

  /// kernels/feed_forward_hopper.h: max(0, x W^T), and the gradient of what that maximum was taken
  /// of, gradient W where inner is above 0. Nothing where there is no kernel: on another GPU or for
  /// these sizes.
  virtual std::optional<at::Tensor> relu_product(const at::Tensor& x_TM,
                                                 const at::Tensor& weight_FM) const = 0;
  virtual std::optional<at::Tensor> masked_product(const at::Tensor& gradient_TM,
                                                   const at::Tensor& weight_MF,
                                                   const at::Tensor& inner_TF) const = 0;

  struct RowLosses {
    at::Tensor nll_C;   // float32
    at::Tensor loss_C;  // with smoothing, times `scale`
  };
  /// Cross-entropy of rows of logits. int32 labels, negative ones count nothing. With
  /// `wants_gradient` the logits become scale times their gradient. `scale`: a float32 scalar.
  virtual RowLosses cross_entropy(at::Tensor& logits_CV, const at::Tensor& labels_C,
                                  double smoothing, const at::Tensor& scale,
                                  bool wants_gradient) const = 0;

  struct HeadLoss {
    at::Tensor gradient_TV;  // of the logits, times scale
    at::Tensor bias_V;       // its gradient; undefined without one
    RowLosses rows;
  };
  /// The same from the head's input, with the gradient: two passes over the logits. The bias may be
  /// undefined. Nothing where there is no kernel: on another GPU or for these sizes.
  virtual std::optional<HeadLoss> head_loss(const at::Tensor& hidden_TM,
                                            const at::Tensor& weight_VM, const at::Tensor& bias_V,
                                            const at::Tensor& labels_T, double smoothing,
                                            const at::Tensor& scale) const = 0;

  struct HeadRows {
    at::Tensor nll_T;  // undefined without targets
    at::Tensor lse_T;
    at::Tensor max_T;
    at::Tensor argmax_T;  // int32; the others float32
  };
  /// Readings of logits that are never stored; kernels/head_consumer_hopper.h. The bias may be
  /// undefined, and so may the targets (int32, negative: a row without one). Maximum and argmax are
  /// those of the first num_ids classes (0: of all). Nothing where there is no kernel: on another
  /// GPU or for these sizes.
  virtual std::optional<HeadRows> consume_head(const at::Tensor& hidden_TM,
                                               const at::Tensor& weight_VM,
                                               const at::Tensor& bias_V,
                                               const at::Tensor& targets_T,
                                               std::int64_t num_ids) const = 0;

  /// kernels/embedding_cuda.h; int32 ids and positions.
  virtual at::Tensor embed(const at::Tensor& weight_VM, const at::Tensor& ids_T,
                           const at::Tensor& positions_PM, const at::Tensor& at_T,
                           double scale) const = 0;
  /// The gradient of a weight of so many entries, [V, M].
  virtual at::Tensor embed_backward(const at::Tensor& gradient_TM, const at::Tensor& ids_T,
                                    std::int64_t entries, double scale) const = 0;

  struct ProjectedLength {
    at::Tensor slots_S2M;  // keys and values; S = batch * K rows, the last of which may be unused
    at::Tensor slot_start_B1;  // int32
  };
  /// kernels/length_projection_cuda.h. `kv_T2M` may be columns of a wider matrix.
  virtual ProjectedLength project_length(const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                                         const at::Tensor& F_KN, const at::Tensor& start_B1,
                                         bool all_slots) const = 0;
  struct ProjectionGradients {
    at::Tensor E_KN;
    at::Tensor F_KN;
  };
  /// Writes the gradient of keys and values into what may be columns of a wider matrix.
  virtual ProjectionGradients project_length_backward(
      const at::Tensor& slots_gradient_S2M, const at::Tensor& kv_T2M, const at::Tensor& E_KN,
      const at::Tensor& F_KN, const at::Tensor& start_B1, const at::Tensor& slot_start_B1,
      bool all_slots, const at::Tensor& kv_gradient_T2M) const = 0;

  /// kernels/segment_pooling_cuda.h.
  virtual ProjectedLength pool_segments(const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                                        const at::Tensor& start_B1, std::int64_t slots) const = 0;
  /// Writes the gradient of keys and values into what may be columns of a wider matrix; returns
  /// that of the scores.
  virtual at::Tensor pool_segments_backward(const at::Tensor& slots_gradient_S2M,
                                            const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                                            const at::Tensor& start_B1,
                                            const ProjectedLength& pooled, std::int64_t slots,
                                            const at::Tensor& kv_gradient_T2M) const = 0;

  virtual void adam_step(const FusedAdam& adam) const = 0;

  /// Until the result is destroyed, run_beside uses a second stream; then the current stream waits
  /// for it. For a backward pass in which no gradient of a parameter has another reader or exists
  /// already. One at a time.
  virtual std::shared_ptr<void> open_side_stream(at::Device device) const = 0;
  /// Runs `work`, which starts after what the current stream was given before, and for which
  /// nothing waits until the side stream is joined: gradients of parameters. It keeps `inputs`
  /// until then. Without a side stream it is run at once.
  virtual void run_beside(const std::vector<at::Tensor>& inputs,
                          const std::function<void()>& work) const = 0;

  /// A graph that shares memory with `other` (null: with none yet): they run one after another.
  virtual std::unique_ptr<DeviceGraph> make_graph(const DeviceGraph* other) const = 0;
  /// Makes a stream of the device, of its own, this thread's, as graphs need, for as long as the
  /// result lives.
  virtual std::shared_ptr<void> use_own_stream(at::Device device) const = 0;
};

/// The accelerator of `device`, or null: a CPU, or an engine that was built without CUDA.
const Accelerator* accelerator_of(at::Device device);
/// Called once, before main, by the part of the program that is linked for CUDA.
void set_accelerator(const Accelerator* accelerator);

}  // namespace linformer
