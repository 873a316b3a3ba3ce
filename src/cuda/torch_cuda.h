// SPDX-License-Identifier: Apache-2.0
#pragma once

// The headers of torch that need CUDA; ops/torch.h has the others.
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
